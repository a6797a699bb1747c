import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { NatsConfig } from '../../nats/config.ts';

/** Windows are spread over this many parts by their student; one gateway at a time delivers a part. All versions must agree. */
export const PARTS = 16;

type OfStudent = Pick<MetricsWindow, 'userId' | 'sessionId'>;

/** Names of what delivery keeps in NATS. */
export function namesOf({ prefix }: Pick<NatsConfig, 'prefix'>) {
  const windows = `${prefix}.windows`;
  return {
    /** Windows that wait for the store. */
    stream: `${prefix}_windows`,
    subjects: `${windows}.>`,
    subjectOf: ({ userId, sessionId }: OfStudent) =>
      `${windows}.${userId % PARTS}.${userId}.${sessionId.toLowerCase()}`,
    studentOf: (subject: string) => Number(subject.split('.')[3]),
    subjectsOfPart: (part: number) => `${windows}.${part}.*.*`,
    subjectsOfStudent: (userId: number) => `${windows}.${userId % PARTS}.${userId}.*`,
    subjectsOfSession: (sessionId: string) => `${windows}.*.*.${sessionId.toLowerCase()}`,
    /** Gateways that deliver say here that they are there. */
    delivering: `${prefix}.delivering`,
    /** Here a gateway hears which entries of its file are stored. */
    storedOf: (gatewayId: string) => `${prefix}.stored.${gatewayId}`,
    /** Windows that the store refuses for good, with the reason. */
    refused: `${prefix}_refused`,
    /** What is noted of the students of a part whose time goes the second way. */
    notesOf: (part: number) => `${prefix}_notes_${part}`,
    /** Students whose data was deleted: a late copy of a window must not bring it back. */
    forgotten: `${prefix}_forgotten`,
  };
}

/** Headers of a window in the stream. */
export const HEADERS = {
  /** The window's key, by which JetStream knows a copy. */
  key: 'Nats-Msg-Id',
  /** It was published before: the store may have it. */
  repeated: 'Gaze-Repeated',
  /** The gateway in whose file it is, and its id there. */
  gateway: 'Gaze-Gateway',
  entry: 'Gaze-Entry',
} as const;
