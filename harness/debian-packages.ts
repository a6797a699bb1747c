import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** What to look for and what to install when it is not there. */
export interface WantedProgram {
  /** Name on PATH. */
  readonly program: string;
  /** Full paths at which it is usually found. */
  readonly candidates: readonly string[];
  /** Debian package that brings it. */
  readonly package: string;
  /** Environment variable that names the program, if there is one; it comes first. */
  readonly variable?: string;
  /** Any of the files will do, though none can be run. */
  readonly isLibrary?: boolean;
}

export const MARIADB: WantedProgram = {
  program: 'mariadbd',
  candidates: ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', '/opt/homebrew/opt/mariadb/bin/mariadbd'],
  package: 'mariadb-server',
};

/** Comes with MARIADB. */
export const MARIADB_INSTALLER: WantedProgram = {
  program: 'mariadb-install-db',
  candidates: ['/usr/bin/mariadb-install-db', '/opt/homebrew/opt/mariadb/bin/mariadb-install-db'],
  package: 'mariadb-server',
};

export const CHROMIUM: WantedProgram = {
  program: 'chromium',
  candidates: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  ],
  package: 'chromium',
  variable: 'CHROMIUM_PATH',
};

export const FIREFOX: WantedProgram = {
  program: 'firefox-esr',
  candidates: [
    '/usr/bin/firefox-esr',
    '/usr/bin/firefox',
    '/Applications/Firefox.app/Contents/MacOS/firefox',
    'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
  ],
  package: 'firefox-esr',
  variable: 'FIREFOX_PATH',
};

export const WEBKIT_DRIVER: WantedProgram = {
  program: 'WebKitWebDriver',
  candidates: ['/usr/bin/WebKitWebDriver'],
  package: 'webkit2gtk-driver',
};

/** A screen for programs that cannot do without one. */
export const XVFB: WantedProgram = { program: 'Xvfb', candidates: ['/usr/bin/Xvfb'], package: 'xvfb' };

export const PHP: WantedProgram = {
  program: 'php',
  candidates: ['/usr/bin/php', '/opt/homebrew/bin/php'],
  package: 'php-cli',
};

/** PHP's driver is a library and no program: a file of its package stands for it. */
export const PHP_MYSQL: WantedProgram = {
  program: 'php-mysqli.so',
  candidates: ['/usr/share/php8.2-mysql/mysql/mysqli.ini', '/usr/share/php8.4-mysql/mysql/mysqli.ini'],
  package: 'php-mysql',
  isLibrary: true,
};

export const NATS_SERVER: WantedProgram = {
  program: 'nats-server',
  candidates: ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/opt/homebrew/bin/nats-server'],
  package: 'nats-server',
  variable: 'NATS_SERVER_PATH',
};

export const NGINX: WantedProgram = { program: 'nginx', candidates: ['/usr/sbin/nginx'], package: 'nginx-light' };

export const HAPROXY: WantedProgram = { program: 'haproxy', candidates: ['/usr/sbin/haproxy'], package: 'haproxy' };

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function find({ program, candidates, variable, isLibrary }: WantedProgram): string | null {
  if (isLibrary === true) return candidates.find((file) => existsSync(file)) ?? null;
  const named = variable === undefined ? '' : (process.env[variable] ?? '');
  if (named !== '') return isExecutable(named) ? named : null;
  const extension = process.platform === 'win32' ? '.exe' : '';
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, program + extension));
  return [...onPath, ...candidates].find(isExecutable) ?? null;
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function missing(wanted: WantedProgram, why: string): Error {
  return new Error(
    `The tests need ${wanted.program}, and ${why}. Install it and run them again:\n` +
      `  Debian, Ubuntu: sudo apt-get install ${wanted.package}\n` +
      `  macOS:          brew install ${wanted.package.replace(/-(server|cli)$/, '')}\n` +
      `  Windows:        use WSL with Debian, where it is the Debian command\n` +
      `(looked on PATH and at ${wanted.candidates.join(', ')})`,
  );
}

/**
 * Full path of a program that the tests need. On Debian and Ubuntu, as root, it is installed if it is
 * not there; elsewhere throws an Error that says what to install.
 */
export function ensureProgram(wanted: WantedProgram): string {
  const found = find(wanted);
  if (found !== null) return found;
  if (wanted.variable !== undefined && (process.env[wanted.variable] ?? '') !== '') {
    throw missing(wanted, `${wanted.variable} names none that can be run`);
  }
  if (!isDebian()) throw missing(wanted, 'this is not Debian or Ubuntu, so it cannot be installed by itself');
  if (process.getuid?.() !== 0) throw missing(wanted, 'only root can install it');
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
  };
  try {
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', wanted.package], options);
  } catch (error) {
    throw missing(wanted, `apt-get could not install it (${error instanceof Error ? error.message : String(error)})`);
  }
  const installed = find(wanted);
  if (installed === null) throw missing(wanted, `the package ${wanted.package} did not bring it`);
  return installed;
}
