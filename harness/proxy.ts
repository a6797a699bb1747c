import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureProgram, HAPROXY, NGINX } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { isListening } from './is-listening.ts';
import { acceptKey } from './raw-websocket.ts';
import { waitFor } from './wait-for.ts';

/** A real proxy on a free port of loopback. */
export interface RunningProxy {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  close(): Promise<void>;
}

/** One that can cut what goes through it. */
export interface CuttingProxy extends RunningProxy {
  /** Cuts every connection; new ones are taken. */
  cut(): Promise<void>;
}

/** A proxy with a folder of its own. */
export type ProxyWithFolder = RunningProxy & { readonly folder: string };

/** Starts a proxy with what `configure` writes; it gets the port to listen on and a folder of its own. */
async function startProxy(
  program: string,
  argumentsFor: (folder: string) => readonly string[],
  configure: (port: number, folder: string) => string,
): Promise<ProxyWithFolder> {
  const [port, folder] = await Promise.all([freePort(), mkdtemp(join(tmpdir(), 'gaze-relay-proxy-'))]);
  await writeFile(join(folder, 'proxy.conf'), configure(port, folder));
  const child: ChildProcess = spawn(program, argumentsFor(folder), { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const close = async () => {
    process.removeListener('exit', endWithUs);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  await waitFor(`${program} to listen`, async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with status ${child.exitCode}`);
    return isListening(port);
  });
  return { url: `http://127.0.0.1:${port}`, folder, close };
}

function startNginx(locations: string): Promise<RunningProxy> {
  return startProxy(
    ensureProgram(NGINX),
    (folder) => ['-p', folder, '-c', join(folder, 'proxy.conf')],
    (port, folder) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    proxy_set_header Host $http_host;
    ${locations}
  }
}
`,
  );
}

/** nginx as it is where its operator has not thought of WebSockets: `Upgrade` does not pass. */
export function proxyWithoutUpgrade(targetUrl: string): Promise<RunningProxy> {
  return startNginx(`location / { proxy_pass ${targetUrl}; }`);
}

/** nginx that keeps each request and each answer until it has it whole, and before it a filter that does so with a WebSocket, which has no end. */
export async function bufferingProxy(targetUrl: string): Promise<RunningProxy> {
  const filter = await startSilentFilter();
  const proxy = await startNginx(`
    location / {
      error_page 418 = @websocket;
      if ($http_upgrade) { return 418; }
      proxy_request_buffering on;
      proxy_buffering on;
      proxy_buffers 16 64k;
      gzip on;
      gzip_types *;
      gzip_min_length 0;
      proxy_pass ${targetUrl};
    }
    location @websocket {
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_pass ${filter.url};
    }
`);
  const close = async () => {
    await proxy.close();
    await filter.close();
  };
  return { url: proxy.url, close };
}

/** Takes a WebSocket and passes nothing on. */
async function startSilentFilter(): Promise<RunningProxy> {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptKey(request.headers['sec-websocket-key'] ?? '')}`,
      `Sec-WebSocket-Protocol: ${request.headers['sec-websocket-protocol'] ?? ''}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Starts HAProxy with what `configure` writes. */
export function startHaproxy(configure: (port: number, folder: string) => string): Promise<ProxyWithFolder> {
  return startProxy(ensureProgram(HAPROXY), (folder) => ['-db', '-q', '-f', join(folder, 'proxy.conf')], configure);
}

function haproxyTo(
  targetUrl: string,
  rules: string,
  globals: (folder: string) => string = () => '',
): Promise<ProxyWithFolder> {
  return startHaproxy(
    (port, folder) => `
global
  ${globals(folder)}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend students
  bind 127.0.0.1:${port}
  ${rules}
  default_backend gateway
backend gateway
  server one ${new URL(targetUrl).host}
`,
  );
}

/** HAProxy that lets GET and POST over HTTP/1.1 through and refuses everything else, preflights too. */
export function getAndPostProxy(targetUrl: string): Promise<RunningProxy> {
  return haproxyTo(
    targetUrl,
    `http-request deny unless METH_GET or METH_POST
  http-request deny if METH_OPTIONS
  http-request deny if { req.hdr(upgrade) -m found }
  http-request deny unless { req.ver 1.1 }`,
  );
}

/** HAProxy that cuts every connection through it, on a command over its own socket. */
export async function cuttingProxy(targetUrl: string): Promise<CuttingProxy> {
  const proxy = await haproxyTo(targetUrl, '', (folder) => `stats socket ${folder}/admin level admin`);
  return {
    url: proxy.url,
    close: proxy.close,
    cut: async () => {
      const socket = connect(join(proxy.folder, 'admin'));
      socket.end('shutdown sessions server gateway/one\n');
      socket.resume();
      await once(socket, 'close');
    },
  };
}
