import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate and its key, PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of the test's own, valid for a day. */
export interface Authority {
  readonly caFile: string;
  /** A certificate for a server or a client. `names`: such as `IP:127.0.0.1` or `DNS:nats.example`. */
  issue(name: string, names: string): Certificate;
}

/** Makes an authority in a folder with openssl. */
export function createAuthority(folder: string, name: string): Authority {
  const file = (kind: string) => path.join(folder, `${name}-${kind}.pem`);
  const openssl = (...given: readonly string[]) => execFileSync('openssl', given, { stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = { certFile: file('ca'), keyFile: file('ca-key') };
  openssl('req', '-x509', ...curve, '-days', '1', '-subj', `/CN=${name}`, '-keyout', ca.keyFile, '-out', ca.certFile);
  return {
    caFile: ca.certFile,
    issue(subject, names) {
      const [certFile, keyFile, request, extensions] = ['cert', 'key', 'request', 'extensions'].map((kind) =>
        file(`${subject}-${kind}`),
      ) as [string, string, string, string];
      openssl('req', ...curve, '-subj', `/CN=${subject}`, '-keyout', keyFile, '-out', request);
      writeFileSync(extensions, `subjectAltName=${names}\n`);
      const by = ['-CA', ca.certFile, '-CAkey', ca.keyFile, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...by, '-days', '1', '-out', certFile);
      return { certFile, keyFile };
    },
  };
}
