/** Mean absolute error, slope and correlation of an estimate against the truth, over n values. */
export interface Fit {
  readonly maeDeg: number;
  readonly biasDeg: number;
  readonly slope: number;
  readonly correlation: number;
}

/** The mean; not a number of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function fitOf(truth: readonly number[], estimate: readonly number[]): Fit {
  const errors = truth.map((value, i) => (estimate[i] ?? 0) - value);
  const [mx, my] = [mean(truth), mean(estimate)];
  let [xx, yy, xy] = [0, 0, 0];
  truth.forEach((x, i) => {
    const y = estimate[i] ?? 0;
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  });
  return {
    maeDeg: mean(errors.map(Math.abs)),
    biasDeg: mean(errors),
    slope: xy / xx,
    correlation: xy / Math.sqrt(xx * yy),
  };
}
