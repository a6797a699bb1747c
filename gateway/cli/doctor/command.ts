import { type Command, readOptions, wholeNumberOption } from '../command.ts';
import { examine } from './doctor.ts';
import type { Finding } from './finding.ts';

/** Room for about 300,000 windows of 30 s: 100 students, a day without the database. */
const DEFAULT_SPOOL_MB = 256;

function line({ check, level, code, message, mend }: Finding): string {
  const text = `${level.padEnd(8)}${check.padEnd(11)}${message}${code === 'ok' ? '' : `  [${code}]`}`;
  return mend === null ? text : `${text}\n${' '.repeat(19)}→ ${mend}`;
}

/** Checks everything around the gateway that may be wrong, and says how to fix it. */
export const doctor: Command = {
  name: 'doctor',
  usage: '[--spool-mb MB] [--json]',
  summary: 'checks everything around the gateway that may be wrong and says how to fix it',
  async run(argv, context) {
    const options = readOptions(argv, { json: 'boolean', 'spool-mb': 'string' });
    const spoolMb = wholeNumberOption('spool-mb', options['spool-mb'], 1, DEFAULT_SPOOL_MB);
    const findings = await examine(context, { spoolBytes: spoolMb * 1024 * 1024 });
    const faults = findings.filter(({ level }) => level === 'fault').length;
    if (options.json === true) {
      context.out(JSON.stringify({ ok: faults === 0, findings }));
    } else {
      for (const finding of findings) context.out(line(finding));
      context.out(faults === 0 ? '\nno faults' : `\n${faults} fault${faults === 1 ? '' : 's'} to fix`);
    }
    return faults === 0 ? 0 : 1;
  },
};
