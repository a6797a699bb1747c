import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { describeError, RelayError } from '../../../shared/errors.ts';
import {
  decodeInferenceResponse,
  encodeInferenceRequest,
  LINK_PATH,
  LINK_SUBPROTOCOL,
  linkAuthorization,
} from '../../../shared/link.ts';
import { type Finding, findingsOf } from './finding.ts';
import { GREY_JPEG, GREY_JPEG_SIZE } from './grey-jpeg.ts';
import { networkFault } from './network.ts';

const { ok, fault } = findingsOf('inference');
const TIMEOUT_MS = 5000;
const WHERE = 'correct INFERENCE_URL, and start inference with HOST=:: so that the private network reaches it';

interface Readiness {
  readonly ready?: unknown;
  readonly reasons?: unknown;
}

async function readiness(base: string): Promise<Finding | null> {
  const url = new URL('/readyz', base);
  url.protocol = url.protocol.replace('ws', 'http');
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    return fault('inference_unreachable', `${base} cannot be reached: ${networkFault(error)}`, WHERE);
  }
  const body = (await response.json().catch(() => null)) as Readiness | null;
  if (typeof body?.ready !== 'boolean') {
    return fault('inference_not_there', `what answers at ${base} is not inference (status ${response.status})`, WHERE);
  }
  if (body.ready) return null;
  const reasons = Array.isArray(body.reasons) ? body.reasons.join(', ') : 'no reason given';
  return fault('inference_not_ready', `${base} is not ready: ${reasons}`, "see that service's log; give it a moment");
}

/** Sends one grey picture through the link, as the gateway would a frame. Rejects with RelayError. */
async function tryFrame(base: string, secret: string | null): Promise<string> {
  const url = new URL(LINK_PATH, base);
  url.protocol = url.protocol.replace('http', 'ws');
  const headers = secret === null ? {} : { authorization: linkAuthorization(secret) };
  const options = { handshakeTimeout: TIMEOUT_MS, perMessageDeflate: false, headers };
  const socket = new WebSocket(url, LINK_SUBPROTOCOL, options);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    await once(socket, 'open', { signal });
    const whole = { xPx: 0, yPx: 0, ...GREY_JPEG_SIZE };
    const request = { requestId: 1, budgetMs: TIMEOUT_MS, frame: GREY_JPEG_SIZE, crop: whole, roi: null };
    socket.send(encodeInferenceRequest({ ...request, image: GREY_JPEG }));
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    const answer = decodeInferenceResponse(data);
    if (answer.status === 'ok') return `answers a picture in ${answer.serverMs} ms`;
    if (answer.status === 'busy') return 'answers that it is busy';
    throw new RelayError('link_status', `a plain picture is answered with ${answer.status}`);
  } finally {
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

async function examineOne(base: string, secret: string | null): Promise<Finding> {
  const notReady = await readiness(base);
  if (notReady !== null) return notReady;
  try {
    return ok(`${base} is ready and ${await tryFrame(base, secret)}`);
  } catch (error) {
    return fault(
      'inference_fails',
      `${base} is ready but does not serve: ${describeError(error)}`,
      'deploy gateway and inference from the same version and give both the same INFERENCE_SECRET; its log says if models or engine fail',
    );
  }
}

/** One address per replica behind a name; a URL with TLS stays as it is, for its certificate names the host. */
async function replicasOf(base: string): Promise<string[]> {
  const url = new URL(base);
  if (url.protocol === 'https:' || url.protocol === 'wss:') return [base];
  const addresses = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
  return [...new Set(addresses.map(({ address }) => address))].map((address) => {
    const replica = new URL(base);
    replica.hostname = address.includes(':') ? `[${address}]` : address;
    return replica.href;
  });
}

async function examineHost(base: string, secret: string | null): Promise<Finding[]> {
  let replicas: readonly string[];
  try {
    replicas = await replicasOf(base);
  } catch (error) {
    return [fault('inference_unreachable', `${base} cannot be reached: ${networkFault(error)}`, WHERE)];
  }
  const findings = await Promise.all(replicas.map((replica) => examineOne(replica, secret)));
  // A name like localhost has an IPv4 and an IPv6 address, and a service may listen on one of them only.
  const reached = findings.filter(({ code }) => code !== 'inference_unreachable');
  return reached.length > 0 ? reached : findings.slice(0, 1);
}

/** Every replica behind every inference address: reached, ready, and a picture goes through its models. */
export async function examineInference(urls: readonly string[], secret: string | null): Promise<Finding[]> {
  return (await Promise.all(urls.map((url) => examineHost(url, secret)))).flat();
}
