import path from 'node:path';
import { startHaproxy } from './proxy.ts';
import { waitFor } from './wait-for.ts';

const HOST = '127.0.0.1';

/** A load balancer in front of gateways, without stickiness. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

function configurationOf(port: number, ports: readonly number[], socket: string): string {
  const servers = ports.map((target, index) => `  server g${index + 1} ${HOST}:${target} check`);
  return [
    'global',
    `  stats socket ${socket}`,
    '  maxconn 8000',
    'defaults',
    '  mode http',
    '  timeout connect 1s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout tunnel 1h',
    '  timeout check 500ms',
    '  retries 3',
    '  option redispatch 1',
    // A gateway that was killed a moment ago, behind a port that still takes connections.
    '  retry-on conn-failure empty-response',
    'frontend students',
    `  bind ${HOST}:${port}`,
    '  default_backend gateways',
    'backend gateways',
    '  balance roundrobin',
    '  http-request disable-l7-retry unless METH_GET',
    '  option httpchk',
    '  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host gateway',
    // A gateway that does not answer any more has its students sent elsewhere.
    '  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions',
    '  option forwardfor',
    // Which gateway a connection has come to, for those who want to know.
    '  http-response set-header x-gateway %s',
    ...servers,
    '',
  ].join('\n');
}

/** Starts HAProxy on a free port of loopback before gateways at `ports`; resolves when it has found that all are ready. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const proxy = await startHaproxy((port, folder) => configurationOf(port, ports, path.join(folder, 'stats.sock')));
  try {
    const found = new Set<string | null>();
    await waitFor('HAProxy with all gateways behind it', async () => {
      const answer = await fetch(new URL('/readyz', proxy.url)).catch(() => null);
      if (answer?.ok === true) found.add(answer.headers.get('x-gateway'));
      return found.size === ports.length;
    });
  } catch (error) {
    await proxy.close();
    throw error;
  }
  return { url: `${proxy.url}/`, stop: proxy.close };
}
