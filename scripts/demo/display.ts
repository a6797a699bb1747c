import type { StudentProgress } from '../../harness/student.ts';

const BAR_CELLS = 24;
const PLAIN_EVERY_MS = 2000;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** One line on how a student (or the average of several) is doing. */
function lineOf(progress: readonly StudentProgress[], clipMs: number): string {
  const count = progress.length;
  const first = progress[0];
  if (first === undefined) return '';
  const atMs = progress.reduce((sum, { atMs: at }) => sum + at, 0) / count;
  const filled = Math.round((Math.min(atMs, clipMs) / clipMs) * BAR_CELLS);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}`;
  const uplink = progress.reduce((sum, { uplinkBytes }) => sum + uplinkBytes, 0) / count;
  const rate = atMs > 0 ? (uplink / atMs).toFixed(1) : '–';
  const latencies = progress.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  const latency = latencies.length === 0 ? '–' : Math.round(latencies.reduce((a, b) => a + b) / latencies.length);
  const sum = (pick: 'focusedMs' | 'unfocusedMs') =>
    progress.reduce((total, { update }) => total + (update?.[pick] ?? 0), 0) / count;
  const focused = progress.filter(({ update }) => update?.state === 'focused').length;
  const state =
    count === 1
      ? `${first.update?.state ?? 'waiting'} (${first.update?.direction ?? '–'})`
      : `${focused} of ${count} focused`;
  return `${bar} ${seconds(atMs).padStart(7)}  ${state.padEnd(28)} focused ${seconds(sum('focusedMs'))} · unfocused ${seconds(
    sum('unfocusedMs'),
  )} · ${rate} kB/s up · ${latency} ms`;
}

/** Live progress: one line that is rewritten on a terminal, a line every 2 s elsewhere. */
export class Display {
  readonly #stream: NodeJS.WriteStream;
  readonly #clipMs: number;
  readonly #progress: (StudentProgress | undefined)[];
  #printedAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WriteStream, students: number, clipMs: number) {
    this.#stream = stream;
    this.#clipMs = clipMs;
    this.#progress = new Array(students).fill(undefined);
  }

  show(student: number, progress: StudentProgress, nowMs: number): void {
    this.#progress[student] = progress;
    const everyMs = this.#stream.isTTY ? 100 : PLAIN_EVERY_MS;
    if (nowMs - this.#printedAtMs < everyMs) return;
    this.#printedAtMs = nowMs;
    const line = lineOf(
      this.#progress.filter((entry) => entry !== undefined),
      this.#clipMs,
    );
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\n');
  }
}
