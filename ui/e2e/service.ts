/** The program under test: `autotuner serve` with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BINARY = process.env.AUTOTUNER_BINARY ?? resolve(import.meta.dirname, '../../target/debug/autotuner');

/** How long it may take to be ready or to be gone. */
const PATIENCE = 30_000;

export class Service {
  private child: ChildProcess | undefined;
  private printed = '';
  private port = 0;

  private constructor(
    readonly dataDir: string,
    private readonly environment: Record<string, string>,
  ) {}

  /** Starts one on a free port, with these variables, and in this folder where one is named. */
  static async start(environment: Record<string, string> = {}, folder?: string): Promise<Service> {
    if (!existsSync(BINARY))
      throw new Error(`there is no program at ${BINARY}: build it, or set AUTOTUNER_BINARY`);
    const service = new Service(folder ?? mkdtempSync(join(tmpdir(), 'autotuner-e2e-')), environment);
    await service.run();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The link that it printed, with the token in it. */
  get link(): string {
    const found = /http:\S+\?token=\S+/.exec(this.printed);
    if (!found) throw new Error(`no link was printed:\n${this.printed}`);
    return found[0];
  }

  get token(): string {
    return readFileSync(join(this.dataDir, 'token'), 'utf8').trim();
  }

  /** Ends it and starts it again, on the same port and data. */
  async restart(): Promise<void> {
    await this.end();
    await this.run();
  }

  /** Ends it, in order. */
  async end(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    await gone;
    clearTimeout(late);
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    await this.end();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Asks its API as its owner; what is refused is an error with the server's words. */
  async ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }

  private async run(): Promise<void> {
    this.printed = '';
    const child = spawn(
      BINARY,
      ['--data-dir', this.dataDir, 'serve', '--port', String(this.port), '--rate-limit', '100000'],
      {
        env: { ...process.env, ...this.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => (this.printed += String(data)));
    const until = Date.now() + PATIENCE;
    while (Date.now() < until) {
      const found = /listening on http:\/\/[^:]+:(\d+)/.exec(this.printed);
      if (found) this.port = Number(found[1]);
      if (found && (await this.isReady())) return;
      if (child.exitCode !== null) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    child.kill('SIGKILL');
    throw new Error(`the service did not start:\n${this.printed}`);
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok;
    } catch {
      return false;
    }
  }
}
