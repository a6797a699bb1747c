import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { WebSocket, WebSocketServer } from 'ws';
import { LINK_PATH, LINK_SUBPROTOCOL } from '../../shared/link.ts';
import { UPDATE_BYTES, UPDATE_TYPE } from '../../shared/protocol/update.ts';
import { typeByte } from '../../shared/protocol/version.ts';

/**
 * A process of its own: what relaying costs at least, and what it costs the old way. `floor`: bare WebSockets that hand a
 * picture on and answer 44 bytes, without a ticket, a check, or an account. `socket-io`: Socket.IO that decodes a data URL,
 * hands the picture on and answers with the seed's JSON. Says its port to its parent.
 */
const [kind = 'floor', inferenceUrl = ''] = process.argv.slice(2);
const ID_BYTES = 8;
const SEQ_AND_CAPTURE = { from: 2, to: 8 };

const link = new WebSocket(`${inferenceUrl.replace('http', 'ws')}${LINK_PATH}`, LINK_SUBPROTOCOL, {
  perMessageDeflate: false,
  generateMask: (mask) => mask.fill(0),
});
const waiting = new Map<number, () => void>();
let nextId = 1;
link.on('message', (data: Buffer) => {
  const id = data.readUInt32BE(4);
  waiting.get(id)?.();
  waiting.delete(id);
});

/** Hands a picture on; `answer` is called when inference has answered. */
function forward(picture: Uint8Array, answer: () => void): void {
  const id = nextId;
  nextId = (nextId % 0xffff_fffe) + 1;
  const request = Buffer.allocUnsafe(ID_BYTES + picture.byteLength);
  request.writeUInt32BE(id, 4);
  request.set(picture, ID_BYTES);
  waiting.set(id, answer);
  link.send(request);
}

const http = createServer();
if (kind === 'floor') {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        const { type } = JSON.parse(data.toString('utf8')) as { type: string };
        socket.send(JSON.stringify(type === 'hello' ? { type: 'welcome', sessionId: 'bare' } : { type: 'started' }));
        return;
      }
      forward(data, () => {
        const update = Buffer.alloc(UPDATE_BYTES);
        update.writeUInt8(typeByte(UPDATE_TYPE), 0);
        data.copy(update, SEQ_AND_CAPTURE.from, SEQ_AND_CAPTURE.from, SEQ_AND_CAPTURE.to);
        socket.send(update);
      });
    });
  });
} else {
  const io = new Server(http, { maxHttpBufferSize: 1_000_000 });
  io.on('connection', (socket) => {
    socket.on('start_tracking', () => socket.emit('tracking_started', { success: true }));
    socket.on('video_frame', ({ frame, timestamp }: { frame: string; timestamp: number }) => {
      forward(Buffer.from(frame.slice(frame.indexOf(',') + 1), 'base64'), () =>
        socket.emit('tracking_update', {
          is_focused: true,
          gaze_direction: 'centered',
          metrics: {
            focused_time: 125.3,
            unfocused_time: 12.7,
            total_time: 138,
            focus_percentage: 90.8,
            focus_sessions: 5,
            unfocus_sessions: 2,
            current_state: 'focused',
          },
          timestamp: new Date().toISOString(),
          frame_timestamp: timestamp,
        }),
      );
    });
  });
}
link.once('open', () => {
  http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port));
});
