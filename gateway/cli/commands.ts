import { describeError, RelayError } from '../../shared/errors.ts';
import { checkConfig } from './check-config.ts';
import type { CliContext, Command } from './command.ts';
import { doctor } from './doctor/command.ts';
import { loadCommand } from './load/command.ts';
import { migrate } from './migrate.ts';
import { mintTicketCommand } from './mint-ticket.ts';
import { PLATFORM_COMMANDS } from './platform.ts';
import { deleteStudentCommand, exportStudentCommand, readerRole, retention } from './privacy.ts';

const COMMANDS: readonly Command[] = [
  checkConfig,
  doctor,
  migrate,
  mintTicketCommand,
  loadCommand,
  readerRole,
  retention,
  exportStudentCommand,
  deleteStudentCommand,
  ...PLATFORM_COMMANDS,
];

/** Exit status of a command line that makes no sense. */
const USAGE_STATUS = 2;

function usage(): string {
  const widest = Math.max(...COMMANDS.map(({ name, usage: options }) => `${name} ${options}`.trim().length));
  return [
    'usage: node dist/gateway/cli.mjs COMMAND (from the sources: npm run relay -- COMMAND)',
    '',
    ...COMMANDS.map((command) => `  ${`${command.name} ${command.usage}`.trim().padEnd(widest)}  ${command.summary}`),
    '',
    'Every command reads the environment variables that the gateway reads.',
  ].join('\n');
}

/** Runs the operator's command line and resolves with its exit status: 0 well, 1 fault, 2 not understood. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    context.out(usage());
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    context.err(name === undefined ? usage() : `command_unknown: there is no command ${name}\n\n${usage()}`);
    return USAGE_STATUS;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    context.out(`usage: ${`${command.name} ${command.usage}`.trim()}\n${command.summary}`);
    return 0;
  }
  try {
    return await command.run(rest, context);
  } catch (error) {
    context.err(describeError(error));
    if (!(error instanceof RelayError) || error.code !== 'option_invalid') return 1;
    context.err(`usage: ${command.name} ${command.usage}`);
    return USAGE_STATUS;
  }
}
