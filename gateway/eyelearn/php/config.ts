import type * as z from 'zod';
import { oneOf, variable, wholeNumber } from '../../../shared/config.ts';
import { urlWith } from '../../lib/url-variable.ts';

/** Variables of the way to EyeLearn's rows, as part of the gateway's environment. */
export const PHP_VARIABLES = {
  PHP_ENDPOINT: variable(urlWith(['http:', 'https:']).optional(), {
    description:
      "EyeLearn's `save_enhanced_tracking.php`, used while the database is unreachable; without it windows wait",
    example: 'http://eyelearn.railway.internal:8080/user/database/save_enhanced_tracking.php',
  }),
  TRACKING_SAVE_URL: variable(urlWith(['http:', 'https:']).optional(), {
    description: "EyeLearn's other name for `PHP_ENDPOINT`",
    example: 'http://eyelearn.railway.internal:8080/user/database/save_enhanced_tracking.php',
  }),
  PHP_TIMEOUT_MS: variable(wholeNumber(100, 60_000).default(10_000), {
    description: 'how long a post to `PHP_ENDPOINT` may take, ms',
    example: '10000',
  }),
  PHP_MIN_SECONDS: variable(wholeNumber(1, 3600).default(30), {
    description: 'least time of a post to `PHP_ENDPOINT`, s, unless a session ends or it has waited for two minutes',
    example: '30',
  }),
  PHP_AFTER_MS: variable(wholeNumber(0, 3_600_000).default(30_000), {
    description: 'how long the database must be unreachable before windows go to `PHP_ENDPOINT`, ms',
    example: '30000',
  }),
  PHP_SETTLE_MS: variable(wholeNumber(1000, 3_600_000).default(60_000), {
    description: 'how old a post with an unknown outcome must be to be settled against the database, ms',
    example: '60000',
  }),
  METRICS_SINK: variable(oneOf(['auto', 'mysql', 'php']).default('auto'), {
    description:
      "what writes EyeLearn's `eye_tracking_sessions`: `auto` (the gateway, `PHP_ENDPOINT` while the database is unreachable), `mysql` (the gateway alone), `php` (`PHP_ENDPOINT` alone)",
    example: 'auto',
  }),
};

type PhpEnvironment = z.infer<z.ZodObject<typeof PHP_VARIABLES>>;

/** An operator who names a database beside PHP as the only way to EyeLearn's rows learns what is fed by which. */
export function phpOnlyWarnings(env: PhpEnvironment, mysqlUrl: string | null): string[] {
  if (env.METRICS_SINK !== 'php' || mysqlUrl === null) return [];
  return [
    "METRICS_SINK is php: eye_tracking_sessions is written by PHP_ENDPOINT alone; our own tables, EyeLearn's tables of days and focus_events are written to the database, and wait while it cannot be written",
  ];
}

/**
 * The way to EyeLearn's rows: PHP alone when there is no database or the operator wants it so, PHP as the way
 * round an unreachable database when both are given.
 */
export function phpOf(env: PhpEnvironment, mysqlUrl: string | null) {
  const url = env.PHP_ENDPOINT ?? env.TRACKING_SAVE_URL;
  if (url === undefined || env.METRICS_SINK === 'mysql') return null;
  const use: 'always' | 'fallback' = env.METRICS_SINK === 'php' || mysqlUrl === null ? 'always' : 'fallback';
  return {
    url,
    use,
    timeoutMs: env.PHP_TIMEOUT_MS,
    minDeltaS: env.PHP_MIN_SECONDS,
    fallbackAfterMs: env.PHP_AFTER_MS,
    settleAfterMs: env.PHP_SETTLE_MS,
  };
}
