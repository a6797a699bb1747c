/** UTC ms that follow the system clock at creation and never step backwards after it. */
export function steadyUtcClock(): () => number {
  const offsetMs = Date.now() - performance.now();
  return () => performance.now() + offsetMs;
}
