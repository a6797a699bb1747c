import { runCli } from '../../gateway/cli/commands.ts';
import type { Finding } from '../../gateway/cli/doctor/finding.ts';

export type Env = Readonly<Record<string, string>>;

/** A secret as `openssl rand -hex 32` makes them. */
export const GOOD_SECRET = '8f41c5d7a90e3b6627d1f0c4be95a8732c6e1d4f5b7a90836e2dc1f4a7b85093';

export interface CliResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line with this environment and no other. */
export async function cli(argv: readonly string[], env: Env = {}): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(argv, {
    env,
    now: Date.now,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { status, out: out.join('\n'), err: err.join('\n') };
}

export interface Examined {
  readonly status: number;
  readonly findings: readonly Finding[];
  /** Codes of what is neither `ok` nor a note, of one check or of all. */
  readonly codes: (check?: string) => string[];
  readonly find: (code: string) => Finding;
}

/** Runs `doctor --json`. */
export async function doctor(env: Env, ...argv: readonly string[]): Promise<Examined> {
  const { status, out, err } = await cli(['doctor', '--json', ...argv], env);
  if (out === '') throw new Error(err);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return {
    status,
    findings,
    codes: (check) =>
      findings
        .filter((finding) => ['warning', 'fault'].includes(finding.level) && (check ?? finding.check) === finding.check)
        .map(({ code }) => code),
    find: (code) => {
      const found = findings.find((finding) => finding.code === code);
      if (found === undefined) throw new Error(`no ${code} in ${JSON.stringify(findings, null, 2)}`);
      return found;
    },
  };
}
