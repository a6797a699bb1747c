import * as z from 'zod';
import { DIRECTIONS, MODES, RULES } from '../direction.ts';
import { SUSPECTS } from '../metrics-window.ts';
import { count, idSchema, ms, nameOrNull, sideTimesShape, utcMs } from './figures.ts';

const timesShape = { focusedMs: ms, unfocusedMs: ms, unknownMs: ms, untrackedMs: ms };
const trafficShape = {
  framesReceived: count,
  framesProcessed: count,
  framesDropped: count,
  framesWithFace: count,
  bytesUp: count,
  bytesDown: count,
};
export const suspectSchema = z
  .enum(SUSPECTS)
  .nullable()
  .describe("why a device's observations are implausible; for the teacher to judge");
const directionMs = z.partialRecord(z.enum(DIRECTIONS), ms);

export const boutSchema = z.object({
  kind: z.enum(['focused', 'unfocused']),
  startedAtMs: utcMs,
  durationMs: ms,
});

export const windowSchema = z.object({
  epoch: count,
  seq: count,
  sectionId: idSchema.nullable(),
  startedAtMs: utcMs,
  endedAtMs: utcMs,
  ...timesShape,
  directionMs,
  ...trafficShape,
  gatewayMsSum: z.number().min(0),
  lateMs: ms.describe('part of the time whose messages came late, after an outage'),
  ...sideTimesShape,
  mode: z.enum(MODES),
  rule: z.enum(RULES),
  final: z.boolean(),
});

export const reportSchema = z.object({
  sessionId: z.string(),
  userId: idSchema,
  moduleId: idSchema,
  startedAtMs: utcMs,
  endedAtMs: utcMs,
  final: z.boolean(),
  ...timesShape,
  directionMs,
  ...trafficShape,
  lateMs: ms.describe('part of the time whose messages came late, after an outage'),
  ...sideTimesShape,
  suspect: suspectSchema,
  bouts: z.array(boutSchema),
  windows: z.array(windowSchema),
});

/** Names of what a session's report mentions by id. */
export const sessionNamesSchema = z.object({
  student: nameOrNull,
  className: nameOrNull,
  module: nameOrNull,
  sections: z.record(z.string(), z.string()).describe('title by section id'),
});

/** Body of `GET /api/v1/sessions/{sessionId}`. */
export const sessionAnswerSchema = z.object({ report: reportSchema, names: sessionNamesSchema });

/** A session as the gateway reports it. UTC ms, durations in ms. */
export type Report = z.infer<typeof reportSchema>;
export type ReportWindow = z.infer<typeof windowSchema>;
export type SessionNames = z.infer<typeof sessionNamesSchema>;
