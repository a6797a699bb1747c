import { RelayError } from '../../shared/errors.ts';
import { STREAM_PATH } from '../../shared/protocol/version.ts';

/** Addresses of a gateway. */
export interface GatewayAddresses {
  /** `ws(s)://host/v1/stream` */
  readonly streamUrl: string;
  /** `http(s)://host`, without a slash at the end. */
  readonly httpOrigin: string;
}

/**
 * Addresses from what a page gives as `serverUrl`: http, https, ws or wss, with or without a path
 * (the path is not used: one host is one gateway). Throws RelayError `server_url_invalid`.
 */
export function gatewayAddresses(serverUrl: string): GatewayAddresses {
  let url: URL;
  try {
    url = new URL(serverUrl);
  } catch {
    throw addressError(serverUrl);
  }
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  if (!secure && url.protocol !== 'http:' && url.protocol !== 'ws:') throw addressError(serverUrl);
  return {
    streamUrl: `${secure ? 'wss' : 'ws'}://${url.host}${STREAM_PATH}`,
    httpOrigin: `${secure ? 'https' : 'http'}://${url.host}`,
  };
}

function addressError(serverUrl: string): RelayError {
  return new RelayError('server_url_invalid', `"${serverUrl}" is not the address of a gateway`, {
    hint: 'use https://host or wss://host',
  });
}

/** Address of the development gateway's ticket for a student and a module. */
export function developmentTicketUrl(httpOrigin: string, userId: number | string, moduleId: number | string): string {
  const query = new URLSearchParams({ userId: String(userId), moduleId: String(moduleId) });
  return `${httpOrigin}/dev/ticket?${query}`;
}
