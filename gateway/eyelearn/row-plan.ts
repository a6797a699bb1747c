/**
 * EyeLearn's dashboards drop rows above 7,200 s (`total_time_seconds BETWEEN 30 AND 7200`), so a row ends
 * before it gets there.
 */
export const ROW_LIMIT_S = 7200;

/** One of EyeLearn's rows as we know it, and what of our time is in it. */
export interface RowState {
  /** Counts the rows of one plan: 0, 1, … */
  readonly rollNo: number;
  /** Our time that belongs to this row, whole ms. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** How much of it the row holds, whole seconds. */
  readonly focusedWrittenS: number;
  readonly unfocusedWrittenS: number;
  /** What the row's total is now; others may have added to it. */
  readonly totalS: number;
}

/** A row after a batch, and what the batch adds to it. */
export interface RowStep<Slice extends TimeSlice> {
  readonly state: RowState;
  readonly addFocusedS: number;
  readonly addUnfocusedS: number;
  /** The windows of the batch that went into the row, in order; none when the row was full already. */
  readonly slices: readonly Slice[];
}

/** Time of one window, whole ms. */
export interface TimeSlice {
  readonly startedAtMs: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
}

/** A row without time. */
export const EMPTY_ROW: RowState = {
  rollNo: 0,
  focusedMs: 0,
  unfocusedMs: 0,
  focusedWrittenS: 0,
  unfocusedWrittenS: 0,
  totalS: 0,
};

/** A row that takes over what the row before it could not hold: the milliseconds beyond whole seconds. */
export function remainderOf({ focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS }: RowState): RowState {
  return {
    ...EMPTY_ROW,
    focusedMs: Math.max(0, focusedMs - focusedWrittenS * 1000),
    unfocusedMs: Math.max(0, unfocusedMs - unfocusedWrittenS * 1000),
  };
}

function add<Slice extends TimeSlice>(step: RowStep<Slice>, slice: Slice): RowStep<Slice> {
  const { state } = step;
  const focusedMs = state.focusedMs + slice.focusedMs;
  const unfocusedMs = state.unfocusedMs + slice.unfocusedMs;
  // Never less than is written: a row is added to and nothing else.
  const focusedS = Math.max(0, Math.floor(focusedMs / 1000) - state.focusedWrittenS);
  const unfocusedS = Math.max(0, Math.floor(unfocusedMs / 1000) - state.unfocusedWrittenS);
  return {
    state: {
      rollNo: state.rollNo,
      focusedMs,
      unfocusedMs,
      focusedWrittenS: state.focusedWrittenS + focusedS,
      unfocusedWrittenS: state.unfocusedWrittenS + unfocusedS,
      totalS: state.totalS + focusedS + unfocusedS,
    },
    addFocusedS: step.addFocusedS + focusedS,
    addUnfocusedS: step.addUnfocusedS + unfocusedS,
    slices: [...step.slices, slice],
  };
}

/** Ends a row at its whole seconds; the milliseconds beyond them belong to the next one. */
function rollOver<Slice extends TimeSlice>({ state }: RowStep<Slice>): [ended: RowState, next: RowStep<Slice>] {
  const ended = { ...state, focusedMs: state.focusedWrittenS * 1000, unfocusedMs: state.unfocusedWrittenS * 1000 };
  const next = { ...remainderOf(state), rollNo: state.rollNo + 1 };
  return [ended, { state: next, addFocusedS: 0, addUnfocusedS: 0, slices: [] }];
}

/**
 * Spreads windows of one student, module, lesson section and day over rows: whole seconds, remainders carried,
 * a new row before one reaches ROW_LIMIT_S. `current` is the row written to last, null if there is
 * none. Returns the rows that change, in order; over all of them the seconds of each kind
 * are the whole seconds of the time given so far.
 */
export function planRows<Slice extends TimeSlice>(
  current: RowState | null,
  slices: readonly Slice[],
): RowStep<Slice>[] {
  if (slices.length === 0) return [];
  const steps: RowStep<Slice>[] = [];
  let step: RowStep<Slice> = {
    state: current ?? EMPTY_ROW,
    addFocusedS: 0,
    addUnfocusedS: 0,
    slices: [],
  };
  for (const slice of slices) {
    const more = add(step, slice);
    if (more.state.totalS < ROW_LIMIT_S || step.state.totalS === 0) {
      step = more;
      continue;
    }
    const [ended, next] = rollOver(step);
    steps.push({ ...step, state: ended });
    step = add(next, slice);
  }
  return [...steps, step];
}
