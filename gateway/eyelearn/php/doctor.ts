import * as z from 'zod';
import { type Finding, findingsOf } from '../../cli/doctor/finding.ts';
import { networkFault } from '../../cli/doctor/network.ts';
import type { GatewayConfig } from '../../config.ts';

const { ok, note, fault } = findingsOf('php');
const TIMEOUT_MS = 5000;
const SHOWN_CHARACTERS = 120;
const answerSchema = z.object({ success: z.boolean(), error: z.string().optional() });

/**
 * Posts a body without any of the fields that the endpoint needs: one that works says no, in JSON, and
 * stores nothing.
 */
export async function examinePhp({ php }: Pick<GatewayConfig, 'php'>): Promise<Finding[]> {
  if (php === null)
    return [note('php_unset', 'PHP_ENDPOINT is not used: while the database is unavailable, windows wait')];
  let response: Response;
  let text: string;
  try {
    response = await fetch(php.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    return [
      fault(
        'php_unreachable',
        `PHP_ENDPOINT cannot be reached: ${networkFault(error)}`,
        'correct PHP_ENDPOINT, start PHP',
      ),
    ];
  }
  const { status } = response;
  if (status >= 300 && status < 400) {
    const target = response.headers.get('location') ?? 'elsewhere';
    return [
      fault('php_redirects', `PHP_ENDPOINT redirects to ${target}`, 'name the final address; no login may be needed'),
    ];
  }
  if (status >= 400) {
    return [
      fault(
        'php_status',
        `PHP_ENDPOINT answers with status ${status}`,
        'name …/user/database/save_enhanced_tracking.php',
      ),
    ];
  }
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) {
    const shown = text
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, SHOWN_CHARACTERS);
    return [
      fault(
        'php_not_json',
        `PHP_ENDPOINT does not answer in JSON: ${shown === '' ? '(nothing)' : shown}`,
        "see PHP's error log",
      ),
    ];
  }
  if (answer.data.success) {
    return [
      fault(
        'php_takes_anything',
        'PHP_ENDPOINT says it stored a body without fields',
        'name save_enhanced_tracking.php',
      ),
    ];
  }
  const reason = answer.data.error ?? '';
  if (/unknown column|doesn't exist|SQLSTATE|connection/i.test(reason)) {
    return [
      fault(
        'php_broken',
        `PHP_ENDPOINT fails by itself: ${reason.slice(0, SHOWN_CHARACTERS)}`,
        'repair its database access',
      ),
    ];
  }
  const role =
    php.use === 'always'
      ? "alone writes eye_tracking_sessions: EyeLearn's tables of days and focus_events are fed where a database is given"
      : 'takes over while the database is unavailable';
  return [ok(`PHP_ENDPOINT answers, and refuses a body without fields; it ${role}`)];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
