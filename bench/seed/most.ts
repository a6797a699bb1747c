import type { Contender } from './contenders.ts';
import { type Measured, measure, type Setting } from './measure.ts';

/** Latency that the most students may have, and share of what their pages want that they must be given. */
export const MOST_P99_MS = 250;
export const MOST_SERVED_SHARE = 0.95;
/** Numbers of students that are tried grow by this. */
const STEP = 1.25;
/** Where the search begins. */
const FROM: Readonly<Record<Contender, number>> = { ours: 100, oursFixed5: 80, device: 600, seed5: 24, seed15: 6 };
const LIMIT = 5000;

function isServed({ figures, servedShare, lowered }: Measured): boolean {
  return !lowered && figures.latencyMsP99 <= MOST_P99_MS && servedShare >= MOST_SERVED_SHARE;
}

/** The most students who are served at their full rate and in time; 0 where not one is. */
export async function findMost(
  contender: Contender,
  setting: Omit<Setting, 'contender' | 'students' | 'readsBack'>,
  progress: (line: string) => void,
): Promise<number> {
  const isEnough = async (students: number): Promise<boolean> => {
    const result = await measure({ ...setting, contender, students, readsBack: false });
    const { figures, servedShare, worstServedShare, lowered } = result;
    const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
    progress(
      `${contender}, ${students} students: p99 ${figures.latencyMsP99.toFixed(0)} ms, served ${percent(servedShare)}, worst ${percent(worstServedShare)}${lowered ? ', limits lowered' : ''}`,
    );
    return isServed(result);
  };
  let students = FROM[contender];
  if (await isEnough(students)) {
    for (;;) {
      const more = Math.ceil(students * STEP);
      if (more > LIMIT || !(await isEnough(more))) return students;
      students = more;
    }
  }
  while (students > 1) {
    students = Math.floor(students / STEP);
    if (await isEnough(students)) return students;
  }
  return 0;
}
