import * as z from 'zod';

/** A moment or length of the capture clock, whole ms (S-4). */
export const captureMsSchema = z.int().min(0).max(0xffff_ffff);

/** Most points that one calibration may have. */
const MAX_POINTS = 16;
/** Fewer good points than this are no calibration: with one less its error could not be determined (K-4). */
export const NEEDED_POINTS = 4;

const share = z.number().min(0).max(1);
/** From a small phone to a wall of monitors. */
const lengthCm = z.number().min(3).max(300);

const pointSchema = z
  .strictObject({
    /** Shares of the screen's width and height, from its upper left as the student sees it. */
    across: share,
    down: share,
    /** When the student looked at it, on the capture clock. */
    fromMs: captureMsSchema,
    untilMs: captureMsSchema,
  })
  .refine(({ fromMs, untilMs }) => fromMs <= untilMs, 'a point ends after it began');
export type ShownPoint = z.infer<typeof pointSchema>;

const screenSizeSchema = z.strictObject({ widthCm: lengthCm, heightCm: lengthCm });

const calibrateSchema = z.strictObject({ type: z.literal('calibrate') });
const calibrateFinishSchema = z.strictObject({
  type: z.literal('calibrate_finish'),
  points: z.array(pointSchema).min(NEEDED_POINTS).max(MAX_POINTS),
  /** The screen's size; null: as `start` tells. */
  screen: screenSizeSchema.nullable().default(null),
  /** A point that the student kept looking at while they turned the head (feature `turning`); left out where they did not. */
  turning: pointSchema.optional(),
});
const calibrateAbortSchema = z.strictObject({ type: z.literal('calibrate_abort') });

/** The client's messages about a calibration (K-*). */
export const calibrationRequestSchemas = [calibrateSchema, calibrateFinishSchema, calibrateAbortSchema] as const;
export type CalibrationRequest = z.infer<(typeof calibrationRequestSchemas)[number]>;
export type CalibrateFinish = z.infer<typeof calibrateFinishSchema>;

const errorDeg = z.number().min(0).nullable();

/** The calibration in use, in `welcome` (K-7). */
export interface CalibrationStatus {
  /** Version of the algorithm that made it. */
  readonly version: number;
  readonly ageMs: number;
  /** Mean error of each point predicted from the others, degrees; null with too few points for that. */
  readonly yawErrorDeg: number | null;
  readonly pitchErrorDeg: number | null;
}

export const calibrationStatusSchema = z.object({
  version: z.int().min(1),
  ageMs: z.int().min(0),
  yawErrorDeg: errorDeg,
  pitchErrorDeg: errorDeg,
}) satisfies z.ZodType<CalibrationStatus>;

/** What was measured of a point: whether it is good, and how many readings agree. */
const pointResultSchema = z.object({ ok: z.boolean(), readings: z.int().min(0) });
export type PointResult = z.infer<typeof pointResultSchema>;

const calibratedSchema = z.object({
  type: z.literal('calibrated'),
  version: z.int().min(1),
  yawErrorDeg: errorDeg,
  pitchErrorDeg: errorDeg,
  points: z.array(pointResultSchema),
  /** False when its error is so large that what was in use before is better. */
  applied: z.boolean(),
  /** True once it is on the gateway's disk, for the student's next session on this device. */
  kept: z.boolean(),
});
export type Calibrated = z.infer<typeof calibratedSchema>;

/** Why there is no calibration (K-1, K-3, K-4). */
const REFUSALS = ['too_few_readings', 'not_open', 'interrupted', 'rule'] as const;

const calibrationRefusedSchema = z.object({
  type: z.literal('calibration_refused'),
  reason: z.enum(REFUSALS),
  /** Empty where no point was evaluated. Those that are not ok are to be shown once more. */
  points: z.array(pointResultSchema),
  message: z.string(),
});
export type CalibrationRefused = z.infer<typeof calibrationRefusedSchema>;

/** What the gateway answers. */
export const calibrationAnswerSchemas = [calibratedSchema, calibrationRefusedSchema] as const;
export type CalibrationAnswer = Calibrated | CalibrationRefused;
