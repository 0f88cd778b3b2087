/** Containers of a real daemon, for journeys: a shell from one static file, nothing fetched. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';
const IMAGE = 'inference-autotuner/e2e-shell:latest';

function docker(...words: string[]): string {
  return execFileSync('docker', words, {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** Why no containers can be had; nothing where they can. */
export function whyNoContainers(): string | undefined {
  try {
    docker('version');
  } catch {
    return 'no Docker daemon answers';
  }
  return existsSync(BUSYBOX) ? undefined : `${BUSYBOX} is missing (Debian: apt-get install busybox-static)`;
}

/** An image with a shell in it; made once, and kept. */
function shellImage(): string {
  try {
    docker('image', 'inspect', IMAGE);
    return IMAGE;
  } catch {
    // It is not there yet.
  }
  const work = mkdtempSync(join(tmpdir(), 'autotuner-e2e-image-'));
  try {
    mkdirSync(join(work, 'bin'));
    cpSync(BUSYBOX, join(work, 'bin/busybox'));
    symlinkSync('busybox', join(work, 'bin/sh'));
    execFileSync(
      'sh',
      ['-c', `tar -C "$1" -c . | docker import --change 'ENV PATH=/bin' - "$2"`, 'sh', work, IMAGE],
      {
        timeout: 60_000,
        stdio: 'pipe',
      },
    );
    return IMAGE;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Starts a container that runs this shell script; its full id. */
export function run(name: string, script: string): string {
  return docker(
    'run',
    '--detach',
    '--name',
    name,
    '--network',
    'none',
    shellImage(),
    '/bin/busybox',
    'sh',
    '-c',
    script,
  );
}

/** Makes such a container without starting it; its full id. */
export function create(name: string, script: string): string {
  return docker(
    'create',
    '--name',
    name,
    '--network',
    'none',
    shellImage(),
    '/bin/busybox',
    'sh',
    '-c',
    script,
  );
}

/** Removes containers whatever they do, and says nothing of those that are gone. */
export function remove(...names: string[]): void {
  for (const name of names) {
    try {
      docker('rm', '--force', name);
    } catch {
      // It is gone.
    }
  }
}

/** How a container is, or nothing. */
export function stateOf(name: string): string | undefined {
  try {
    return docker('inspect', '--format', '{{.State.Status}}', name);
  } catch {
    return undefined;
  }
}
