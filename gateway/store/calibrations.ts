import { type Calibration, calibrationOf } from '../../shared/focus/calibration.ts';
import { CENTRE_VERSION, type StoredCentre, storedCentreOf } from '../../shared/focus/own-centre.ts';
import type { MetricsStore, Statement } from './port.ts';

type Store = Pick<MetricsStore, 'execute'>;

/** What is kept of a student on a device: a calibration, or the own centre that a session learnt (its version tells). */
export type Kept = Calibration | StoredCentre;

/** Null for anything else, and for another version. */
export function keptOf(value: unknown): Kept | null {
  return calibrationOf(value) ?? storedCentreOf(value);
}

/** A calibration, or an own centre, as it is kept: whose, on which device, and when it was made. */
export interface CalibrationRecord {
  readonly userId: number;
  /** UUID that the browser made for itself. */
  readonly deviceId: string;
  /** UTC ms. With student and device it is the key: what is stored twice is there once. */
  readonly createdAtMs: number;
  /** Points that were good enough to be used; an own centre has none. */
  readonly pointCount: number;
  readonly calibration: Kept;
}

// Both databases have REPLACE, and the key makes a repeat change nothing.
const REPLACE = `REPLACE INTO relay_calibrations
  (user_id, device_id, created_at_ms, version, point_count, validation_yaw_deg, validation_pitch_deg, calibration_json)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

function statementOf({ userId, deviceId, createdAtMs, pointCount, calibration }: CalibrationRecord): Statement {
  const { validationYawDeg, validationPitchDeg } =
    'centre' in calibration ? { validationYawDeg: null, validationPitchDeg: null } : calibration;
  return {
    sql: REPLACE,
    values: [
      userId,
      deviceId,
      createdAtMs,
      calibration.version,
      pointCount,
      validationYawDeg,
      validationPitchDeg,
      JSON.stringify(calibration),
    ],
  };
}

/** Stores calibrations, all or none; one that is there already stays as it is. Rejects as MetricsStore.execute does. */
export async function saveCalibrations(store: Store, records: readonly CalibrationRecord[]): Promise<void> {
  if (records.length > 0) await store.execute(records.map(statementOf));
}

function recordOf(row: Readonly<Record<string, unknown>>): CalibrationRecord | null {
  let stored: unknown;
  try {
    stored = JSON.parse(String(row.calibration_json));
  } catch {
    return null;
  }
  const calibration = keptOf(stored);
  if (calibration === null) return null;
  return {
    userId: Number(row.user_id),
    deviceId: String(row.device_id),
    createdAtMs: Number(row.created_at_ms),
    pointCount: Number(row.point_count),
    calibration,
  };
}

/**
 * The newest calibration of a student on a device that was made by this `version` of the algorithm; without one the newest own centre;
 * null when there is neither. Rejects with `store_unreachable`.
 */
export async function newestCalibration(
  store: Store,
  userId: number,
  deviceId: string,
  version: number,
): Promise<CalibrationRecord | null> {
  const [found] = await store.execute([
    {
      sql: `SELECT user_id, device_id, created_at_ms, point_count, calibration_json FROM relay_calibrations
        WHERE user_id = ? AND device_id = ? AND version IN (?, ?) ORDER BY version, created_at_ms DESC LIMIT 1`,
      values: [userId, deviceId, version, CENTRE_VERSION],
    },
  ]);
  const row = found?.rows[0];
  return row === undefined ? null : recordOf(row);
}
