import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gatewayEnvironmentSchema } from '../gateway/config.ts';
import { inferenceEnvironmentSchema } from '../inference/config.ts';
import { type Variable, variablesOf } from '../shared/config.ts';
import { securityWithTables } from './security-docs.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const SECURITY = fileURLToPath(new URL('../docs/security.md', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../.env.example', import.meta.url));

const SERVICES = [
  { key: 'gateway', title: 'Gateway', variables: variablesOf(gatewayEnvironmentSchema) },
  { key: 'inference', title: 'Inference', variables: variablesOf(inferenceEnvironmentSchema) },
] as const;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function tableRow(variable: Variable): string {
  const value = variable.default === null ? '–' : `\`${variable.default}\``;
  return `| \`${variable.name}\` | ${cell(value)} | ${cell(variable.description)} |`;
}

/** A service's variables as a Markdown table. */
export function variableTable(variables: readonly Variable[]): string {
  return ['| variable | default | meaning |', '|---|---|---|', ...variables.map(tableRow)].join('\n');
}

/** All services' variables as a file of comments and commented-out examples. */
export function exampleFile(): string {
  const blocks = SERVICES.map(({ title, variables }) => {
    const lines = variables.map(
      ({ name, description, example, default: value }) =>
        `# ${description.replaceAll('`', '')}${value === null ? '' : ` (default: ${value})`}\n#${name}=${example}\n`,
    );
    return [`# ${title}\n`, ...lines].join('\n');
  });
  return `# Made by \`npm run config-docs\` from gateway/config.ts and inference/config.ts.\n# Nothing reads this file by itself: node --env-file=.env dist/gateway/main.mjs\n\n${blocks.join('\n')}`;
}

/** The README with its tables made anew. Throws when a marker is missing. */
export function readmeWithTables(readme: string): string {
  return SERVICES.reduce((text, { key, variables }) => {
    const begin = `<!-- ${key} variables: npm run config-docs -->`;
    const end = `<!-- end of ${key} variables -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`README.md lacks the markers of the ${key}'s table`);
    return `${text.slice(0, from + begin.length)}\n\n${variableTable(variables)}\n\n${text.slice(to)}`;
  }, readme);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(README, readmeWithTables(await readFile(README, 'utf8')));
  await writeFile(SECURITY, securityWithTables(await readFile(SECURITY, 'utf8')));
  await writeFile(EXAMPLE, exampleFile());
  process.stdout.write('README.md, docs/security.md and .env.example are up to date\n');
}
