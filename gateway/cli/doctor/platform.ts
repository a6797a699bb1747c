import { resolve, sep } from 'node:path';
import type { GatewayConfig } from '../../config.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, note, warning, fault } = findingsOf('platform');
/** The gateway takes up to 8 s to write down what it has counted. */
const MIN_DRAIN_S = 10;

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What Railway says of the service around this process; elsewhere there is nothing to see. */
export function examinePlatform(
  config: Pick<GatewayConfig, 'dataDir' | 'development'>,
  env: Readonly<Record<string, string | undefined>>,
): Finding[] {
  if ((env.RAILWAY_SERVICE_ID ?? env.RAILWAY_ENVIRONMENT ?? '') === '') {
    return [note('not_railway', 'not on Railway')];
  }
  const findings: Finding[] = [];
  if (config.development) {
    findings.push(
      fault(
        'development_on_railway',
        'without RELAY_JWT_SECRET the gateway listens on loopback: Railway cannot reach it',
        'set RELAY_JWT_SECRET and ALLOWED_ORIGINS',
      ),
    );
  }
  const volume = env.RAILWAY_VOLUME_MOUNT_PATH ?? '';
  if (volume === '' || !isWithin(resolve(config.dataDir), resolve(volume))) {
    findings.push(
      fault(
        'data_dir_not_on_volume',
        volume === '' ? 'the gateway has no volume' : `DATA_DIR is not on the volume at ${volume}`,
        'attach a volume to the gateway and set DATA_DIR to its mount path: what waits there must outlive a release',
      ),
    );
  }
  const drainS = Number(env.RAILWAY_DEPLOYMENT_DRAINING_SECONDS ?? 0);
  if (!(drainS >= MIN_DRAIN_S)) {
    findings.push(
      warning(
        'drain_too_short',
        `Railway ends the gateway ${drainS} s after it asked it to`,
        `set the service's draining seconds to ${MIN_DRAIN_S} or more (20 in .railway/railway.ts)`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`on Railway, with a volume at ${volume} and ${drainS} s to drain`)];
}
