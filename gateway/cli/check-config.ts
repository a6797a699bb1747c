import { readConfig, variablesOf } from '../../shared/config.ts';
import { type GatewayConfig, gatewayConfigSchema, gatewayEnvironmentSchema } from '../config.ts';
import { type CliContext, type Command, readOptions } from './command.ts';
import { misspelt } from './spelling.ts';

type Source = 'set' | 'default' | 'unset';

function shown(context: CliContext): { name: string; value: string; source: Source }[] {
  return variablesOf(gatewayEnvironmentSchema).map((variable) => {
    const given = context.env[variable.name] ?? '';
    if (given === '') {
      return {
        name: variable.name,
        value: variable.default ?? '',
        source: variable.default === null ? 'unset' : 'default',
      };
    }
    return {
      name: variable.name,
      value: variable.secret === true ? `(${given.length} characters)` : given,
      source: 'set',
    };
  });
}

/** Says what the gateway makes of its environment, secrets apart, without touching anything. */
export const checkConfig: Command = {
  name: 'check-config',
  usage: '[--json]',
  summary: 'what the gateway makes of its environment; nothing is contacted',
  async run(argv, context) {
    const { json } = readOptions(argv, { json: 'boolean' });
    const result = readConfig<GatewayConfig>(gatewayConfigSchema, context.env);
    const faults = result.ok ? [] : [...result.faults];
    const variables = shown(context);
    const warnings = [
      ...misspelt(context.env).map(
        ({ given, meant }) => `${given} is not a variable of the gateway; ${meant} is, and is not set`,
      ),
      ...(result.ok ? result.config.warnings : []),
    ];
    if (json === true) {
      const mode = result.ok ? (result.config.development ? 'development' : 'production') : null;
      context.out(JSON.stringify({ ok: result.ok, mode, faults, warnings, variables }));
    } else {
      for (const { name, value, source } of variables) {
        if (source !== 'unset') context.out(`${name}=${value}${source === 'default' ? '  (default)' : ''}`);
      }
      for (const warning of warnings) context.err(`warning: ${warning}`);
      for (const fault of faults) context.err(`fault: ${fault}`);
      if (result.ok)
        context.out(`ok: ${result.config.development ? 'development mode, this machine only' : 'production'}`);
    }
    return result.ok ? 0 : 1;
  },
};
