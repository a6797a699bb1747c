import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';
import { developmentSecret } from '../auth/development-secret.ts';
import { type Teaching, teachingOf, teachingShape } from '../auth/teaching.ts';
import { mintTicket, REPORTS_SCOPE, ROLES, TICKET_LIFETIME_S } from '../auth/ticket.ts';
import { type Command, configOf, readOptions, wholeNumberOption } from './command.ts';

const partsOf = (list: string | undefined): string[] => (list ?? '').split(',').filter((part) => part.trim() !== '');

/** What a teacher teaches, as the platform's claims would say. Throws RelayError `option_invalid`. */
function readTeaching(options: { readonly classes?: string; readonly modules?: string }): Teaching | undefined {
  const modules = partsOf(options.modules).map((id) => wholeNumberOption('modules', id.trim(), 1));
  const classes = partsOf(options.classes).map((name) => name.trim());
  const claims = z.object(teachingShape).safeParse({ classes: options.classes === 'all' ? 'all' : classes, modules });
  if (!claims.success) throw new RelayError('option_invalid', `--classes, --modules: ${z.prettifyError(claims.error)}`);
  return teachingOf(claims.data);
}

/** Prints a ticket as the school's PHP would mint it, to try things with. */
export const mintTicketCommand: Command = {
  name: 'mint-ticket',
  usage: `--user ID --module ID [--role ${ROLES.join('|')}] [--scope ${REPORTS_SCOPE}] [--classes A,B|all] [--modules ID,ID]`,
  summary: `a ticket good for ${TICKET_LIFETIME_S} s, to try things with`,
  async run(argv, context) {
    const options = readOptions(argv, {
      user: 'string',
      module: 'string',
      role: 'string',
      scope: 'string',
      classes: 'string',
      modules: 'string',
    });
    const userId = wholeNumberOption('user', options.user, 1);
    const moduleId = wholeNumberOption('module', options.module, 1);
    const role = ROLES.find((known) => known === (options.role ?? 'student'));
    if (role === undefined) throw new RelayError('option_invalid', `--role is one of ${ROLES.join(', ')}`);
    const scope = options.scope ?? null;
    if (scope !== null && scope !== REPORTS_SCOPE) {
      throw new RelayError('option_invalid', `--scope is ${REPORTS_SCOPE}, or left out for a lesson's ticket`);
    }
    const teaching = readTeaching(options);
    const config = configOf(context);
    const secret = config.secret ?? (await developmentSecret(config.dataDir));
    context.out(mintTicket({ userId, moduleId, role, scope, teaching }, secret, new Date(context.now()), randomUUID()));
    return 0;
  },
};
