/** The parts of a log's viewer that know nothing of the page. */
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '@/api/logs';
import { DEBUG, ERROR, INFO, levelOf, NONE, WARN } from './levels';
import { matcherOf } from './matcher';
import { ALL, LogModel } from './model';
import { Places } from './places';
import { ERRORS, LogRing, OUTPUT } from './ring';
import { serverSearch } from './ServerSearch';
import { stampText } from './stamps';
import { columnsOf, folded, pieces, plainText, withHits } from './text';

const ESC = '\u001b';

function matcher(text: string, isRegex = false, isCaseSensitive = false) {
  const found = matcherOf({ text, isRegex, isCaseSensitive });
  if (!found || 'error' in found) throw new Error('no matcher');
  return found;
}

describe('text', () => {
  it('shows the last state of a line that was written over', () => {
    expect(folded('  0%\r 50%\r100%')).toBe('100%');
    expect(folded('100%\r')).toBe('100%');
    expect(folded('line\r\r')).toBe('line');
    expect(folded('\r')).toBe('');
  });

  it('leaves out what terminals are told', () => {
    expect(plainText(`${ESC}[2K${ESC}[1;32mINFO${ESC}[0m ready${ESC}]0;title\u0007`)).toBe('INFO ready');
    expect(plainText(`${ESC}[38:2::120:80:255mviolet${ESC}[m`)).toBe('violet');
  });

  it('colours pieces, and leaves markup as text', () => {
    const { pieces: list } = pieces(`${ESC}[1;31mbad${ESC}[0m <b>x</b> ${ESC}[38;5;208morange${ESC}[0m`);
    expect(list.map(({ text }) => text)).toEqual(['bad', ' <b>x</b> ', 'orange']);
    expect(list[0]?.className).toContain('text-bad');
    expect(list[2]?.color).toContain('255, 135, 0');
  });

  it('shows control characters, and cuts what is too long', () => {
    expect(pieces('a\u0000b\u0007').pieces[0]?.text).toBe('a\u2400b\u2407');
    const { pieces: list, left } = pieces('x'.repeat(20_000));
    expect([list[0]?.text.length, left]).toEqual([16_000, 4_000]);
  });

  it('keeps the number of pieces in bounds and the text whole', () => {
    const raw = Array.from({ length: 1_000 }, (_, index) => `${ESC}[3${index % 8}m${index} `).join('');
    const { pieces: list } = pieces(raw);
    expect(list.length).toBeLessThanOrEqual(101);
    expect(list.map(({ text }) => text).join('')).toBe(plainText(raw));
  });

  it('marks matches across pieces', () => {
    const list = withHits([{ text: 'abc', className: 'x' }, { text: 'def' }], [[2, 4]]);
    expect(list.map(({ text, isHit }) => [text, isHit])).toEqual([
      ['ab', false],
      ['c', true],
      ['d', true],
      ['ef', false],
    ]);
  });

  it('never counts fewer columns than a line takes', () => {
    expect(columnsOf('abc')).toBe(3);
    expect(columnsOf('\t')).toBe(8);
    expect(columnsOf('中文')).toBeGreaterThanOrEqual(4);
    expect(columnsOf(`${ESC}[31mred${ESC}[0m`)).toBe(3);
  });
});

describe('levels', () => {
  it.each([
    ['[2026-11-29 06:36:31] [INFO] Task begins', INFO],
    ['2026-11-29T10:00:01.123456Z  WARN autotuner::engine: slow', WARN],
    ['2026-11-29 10:00:00,123 - worker - ERROR - it broke', ERROR],
    ['ERROR:root:it broke', ERROR],
    ['INFO 11-29 10:00:00 [engine.py:42] ready', INFO],
    ['(EngineCore_0 pid=12) WARNING 11-29 10:00:00 [core.py:1] slow', WARN],
    ['INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 200 OK', INFO],
    ['{"ts":1,"level":"error","msg":"no"}', ERROR],
    ['time=1 level=debug msg=x', DEBUG],
    ['[11/29/2026-10:00:00] [TRT-LLM] [E] no engine', ERROR],
    ['E1129 10:00:00.123456 1 file.go:1] no', ERROR],
    ['0.00.123.456 W slot is busy', WARN],
    ['ValueError: bad', ERROR],
    ['torch.cuda.OutOfMemoryError: CUDA out of memory.', ERROR],
    ['Traceback (most recent call last):', ERROR],
    ["thread 'main' panicked at src/main.rs:1:1", ERROR],
    ['no level at all', NONE],
    ['terror and information', NONE],
    ['0 errors, 0 warnings', NONE],
  ])('%s', (line, level) => expect(levelOf(line)).toBe(level));

  it('gives a traceback the level of its beginning', () => {
    const ring = new LogRing(10);
    for (const line of ['ERROR it broke', '  File "x.py", line 1', '    raise', 'INFO next']) ring.push(line);
    expect([3, 2, 1, 0].map((place) => ring.levelAt(place))).toEqual([INFO, ERROR, ERROR, ERROR]);
  });
});

describe('search', () => {
  it('finds plain texts and expressions', () => {
    expect(matcher('a.b').test('xA.By')).toBe(true);
    expect(matcher('a.b').test('aab')).toBe(false);
    expect(matcher('a.b', false, true).test('A.B')).toBe(false);
    expect(matcher('r\\d+', true).ranges('r1 r22', 10)).toEqual([
      [0, 2],
      [3, 6],
    ]);
    expect(matcher('x*', true).ranges('aaa', 10)).toEqual([]);
    expect(matcherOf({ text: '(', isRegex: true, isCaseSensitive: false })).toHaveProperty('error');
    expect(matcherOf({ text: '', isRegex: true, isCaseSensitive: false })).toBeNull();
  });

  it('is written for the service', () => {
    expect(serverSearch({ text: 'a.b(c)', isRegex: false, isCaseSensitive: false })).toBe('(?i)a\\.b\\(c\\)');
    expect(serverSearch({ text: 'a.b', isRegex: true, isCaseSensitive: true })).toBe('a.b');
  });
});

describe('places', () => {
  it('keep their indexes while the first leave', () => {
    const places = new Places();
    for (let place = 0; place < 40_000; place += 2) places.push(place);
    places.dropBelow(30_001);
    expect([places.first, places.end, places.at(places.first)]).toEqual([15_001, 20_000, 30_002]);
    expect(places.at(places.indexOf(35_000))).toBe(35_000);
    expect(places.at(places.indexOf(35_001))).toBe(35_002);
  });
});

describe('ring', () => {
  const entry = (index: number): LogEntry => ({
    t: `2026-11-29T00:00:00.${String(index).padStart(9, '0')}Z`,
    s: index % 2 ? 'e' : 'o',
    l: `line ${index}`,
  });

  it('keeps the latest and says how many have left', () => {
    const ring = new LogRing(100);
    for (let index = 0; index < 250; index += 1) ring.push(entry(index));
    expect([ring.first, ring.end, ring.dropped, ring.size]).toEqual([150, 250, 150, 100]);
    for (let place = ring.first; place < ring.end; place += 1) {
      expect(ring.textAt(place)).toBe(`line ${place}`);
      expect(ring.kindAt(place)).toBe(place % 2 ? ERRORS : OUTPUT);
      expect(ring.numberAt(place)).toBe(place + 1);
    }
  });

  it('takes older lines in front, as many as have room', () => {
    const ring = new LogRing(100);
    for (let index = 50; index < 90; index += 1) ring.push(entry(index));
    const older = Array.from({ length: 80 }, (_, index) => entry(index - 30)).filter(
      (_, index) => index < 80,
    );
    expect(ring.prepend(older)).toBe(60);
    expect([ring.textAt(ring.first), ring.textAt(ring.first + 60)]).toEqual(['line -10', 'line 50']);
    expect([ring.numberAt(ring.first), ring.numberAt(ring.end - 1), ring.lastNumber]).toEqual([1, 100, 100]);
  });

  it('says the same twice running once', () => {
    const ring = new LogRing(10);
    ring.push('a');
    expect(ring.mark({ kind: 'started' })).toBe(true);
    expect(ring.mark({ kind: 'started' })).toBe(false);
    ring.push('b');
    expect(ring.mark({ kind: 'started' })).toBe(true);
    expect(ring.lines).toBe(2);
  });
});

describe('model', () => {
  const numbered = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, index) => `${(from + index) % 10 === 0 ? 'ERROR' : 'INFO'} line ${from + index}`,
    );
  const shown = (model: LogModel) => {
    const out: string[] = [];
    for (let row = model.firstRow; row < model.endRow; row += 1)
      out.push(model.ring.textAt(model.placeOf(row)));
    return out;
  };

  it('shows what the filter lets through, also of what comes later', () => {
    const model = new LogModel(100);
    model.push(numbered(0, 50));
    model.setFilter({ ...ALL, minLevel: ERROR });
    model.push(numbered(50, 120));
    expect(shown(model)).toEqual(
      [70, 80, 90, 100, 110, 120, 130, 140, 150, 160].map((index) => `ERROR line ${index}`),
    );
    model.setFilter({ ...ALL, matcher: matcher('line 16'), onlyMatches: true });
    expect(shown(model).length).toBe(10);
    expect(model.hits.length).toBe(10);
  });

  it('moves nothing under the eyes of who reads, however many lines leave', () => {
    for (const columns of [null, 20]) {
      const model = new LogModel(20_000);
      model.setColumns(columns);
      model.push(numbered(0, 15_000).map((line) => `${line} ${'x'.repeat(line.length % 50)}`));
      model.tell();
      const place = 14_000;
      const before = model.offset(model.rowOf(place)) - model.base;
      model.follow(false);
      model.lookAt(place);
      for (let round = 0; round < 20; round += 1) {
        model.push(numbered(15_000 + round * 500, 500));
        model.tell();
        expect(model.offset(model.rowOf(place)) - model.base).toBe(before);
      }
      expect(model.unseen).toBe(10_000);
    }
  });

  it('keeps the stream waiting before it takes away what is read', async () => {
    const model = new LogModel(10_000);
    model.push(numbered(0, 10_000));
    expect(model.room()).toBeUndefined();
    model.follow(false);
    model.lookAt(9_000);
    expect(model.room()).toBeUndefined();
    model.lookAt(100);
    const wait = model.room();
    expect(wait).toBeInstanceOf(Promise);
    model.follow(true);
    await wait;
    expect(model.room()).toBeUndefined();
  });

  it('finds the row at every height, and the height of every row', () => {
    const model = new LogModel(2_000);
    model.setColumns(10);
    model.push(Array.from({ length: 3_000 }, (_, index) => 'x'.repeat((index * 7) % 45)));
    model.tell();
    for (let row = model.firstRow; row < model.endRow; row += 1) {
      const from = model.offset(row);
      const height = Math.max(1, Math.ceil(((row * 7) % 45) / 10));
      expect(model.offset(row + 1) - from).toBe(height);
      expect(model.rowAt(from)).toBe(row);
      expect(model.rowAt(from + height - 1)).toBe(row);
    }
  });

  it('is the same as looking at everything anew, whatever happened', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    const model = new LogModel(500);
    const filter = { ...ALL, minLevel: WARN, matcher: matcher('7'), onlyMatches: false };
    model.setFilter(filter);
    model.setColumns(12);
    let next = 0;
    for (let step = 0; step < 400; step += 1) {
      const act = random(10);
      if (act < 7) {
        const lines = numbered(next, random(60));
        next += lines.length;
        model.push(lines);
      } else if (act === 7) model.mark({ kind: 'gap', reason: String(step) });
      else if (act === 8) model.follow(random(2) === 0);
      else model.prepend(numbered(-random(50) - 1, random(20)));
      const [lines, hits] = [shown(model), model.hits.length];
      const heights = lines.map(
        (_, index) => model.offset(model.firstRow + index + 1) - model.offset(model.firstRow + index),
      );
      if (step % 10 === 0) {
        model.setFilter(filter);
        expect(shown(model)).toEqual(lines);
        expect(model.hits.length).toBe(hits);
        expect(
          lines.map(
            (_, index) => model.offset(model.firstRow + index + 1) - model.offset(model.firstRow + index),
          ),
        ).toEqual(heights);
      }
    }
  });

  it('takes a flood without copying what is here', () => {
    const model = new LogModel();
    const batch = Array.from({ length: 256 }, (_, index) => ({
      t: '2026-11-29T00:00:00.000000000Z',
      s: 'o',
      l: `INFO line ${index}`,
    }));
    model.setFilter({ ...ALL, matcher: matcher('line 2') });
    const start = performance.now();
    for (let round = 0; round < 2_400; round += 1) model.push(batch);
    // 614,400 lines: what 20,000 a second are in half a minute.
    expect(performance.now() - start).toBeLessThan(15_000);
    expect([model.ring.size, model.ring.dropped]).toEqual([50_000, 564_400]);
    expect(model.ring.textAt(model.ring.end - 1)).toBe('INFO line 255');
  });
});

describe('times', () => {
  it('are written as wanted', () => {
    const stamp = '2026-11-29T10:00:05.123456789Z';
    expect(stampText(stamp, 'utc', '')).toBe('10:00:05.123Z');
    expect(stampText(stamp, 'relative', '2026-11-29T10:00:00.000000000Z')).toBe('+5.123s');
    expect(stampText(stamp, 'relative', '2026-11-29T08:59:00.000000000Z')).toBe('+1h01m05s');
    expect(stampText('', 'utc', '')).toBe('');
  });
});
