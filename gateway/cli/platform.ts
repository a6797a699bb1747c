import type { GatewayConfig } from '../config.ts';
import { examineEyelearn } from '../eyelearn/doctor.ts';
import { eyelearnCommand } from '../eyelearn/install/command.ts';
import { examinePhp } from '../eyelearn/php/doctor.ts';
import { eyelearn } from '../eyelearn/platform.ts';
import type { Logger } from '../lib/logger.ts';
import type { Platform } from '../platform.ts';
import type { Command } from './command.ts';
import type { PlatformChecks } from './doctor/finding.ts';

/** The school's platform for a command. */
export function platformOf(config: Pick<GatewayConfig, 'php'>, logger: Logger): Platform {
  return eyelearn(config, logger);
}

/** The platform's own commands. */
export const PLATFORM_COMMANDS: readonly Command[] = [eyelearnCommand];

/** What the doctor examines of the platform. */
export const PLATFORM_CHECKS: PlatformChecks = { examineTables: examineEyelearn, examineEndpoint: examinePhp };
