import type { Suspect } from '../../shared/metrics-window.ts';
import type { Figures } from '../../shared/report/figures.ts';

export function studentName(student: { readonly name?: string | null; readonly userId: number }): string {
  return student.name ?? `Student ${student.userId}`;
}

export function moduleName(title: string | null, moduleId: number): string {
  return title ?? `Module ${moduleId}`;
}

export function sectionName(title: string | null, sectionId: number | 'none' | null): string {
  if (sectionId === null || sectionId === 'none') return 'In no section';
  return title ?? `Section ${sectionId}`;
}

export function className(name: string | null): string {
  return name ?? 'No class';
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** A calendar date as people write it, with its weekday. */
export function dayText(date: string, style: 'short' | 'long' = 'long'): string {
  const options: Intl.DateTimeFormatOptions =
    style === 'short'
      ? { day: 'numeric', month: 'short', timeZone: 'UTC' }
      : { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' };
  return new Intl.DateTimeFormat(undefined, options).format(Date.parse(`${date}T00:00:00Z`));
}

export function momentText(utcMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(utcMs);
}

/** `UTC+8`, `UTC-3:30`: how far clocks are from UTC. */
export function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const rest = minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`;
  return `UTC${offsetMs < 0 ? '-' : '+'}${Math.floor(minutes / 60)}${rest}`;
}

/** Why a session's observations are implausible, for a teacher to judge. */
export const SUSPECT_WORDS: Readonly<Record<Suspect, string>> = {
  constant: 'always the same values',
  alternating: 'two values in turn',
  repeating: 'a stretch played again',
  replayed: 'played again from an earlier session',
};

/** Times by kind, as the charts and bars take them. */
export function timesOf(figures: Pick<Figures, 'focusedMs' | 'unfocusedMs' | 'unknownMs' | 'untrackedMs'>) {
  return {
    focused: figures.focusedMs,
    unfocused: figures.unfocusedMs,
    unknown: figures.unknownMs,
    untracked: figures.untrackedMs,
  };
}

/** Said where a teacher's ticket names no class and no module. */
export function groupsNote({ reads }: { readonly reads: { readonly minGroup: number | null } }): string {
  return `modules with at least ${reads.minGroup ?? 0} students on a day, without today; the platform has named no classes of yours`;
}
