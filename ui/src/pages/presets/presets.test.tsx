import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it } from 'vitest';
import type { Preset } from '@/api/queries/presets';
import presets from '@/test/fixtures/presets.json';
import parameters from '@/test/fixtures/runtime-params-vllm.json';
import { renderAt } from '@/test/render';
import { answer, startServer } from '@/test/server';
import { PresetsPage } from '.';
import { bodyOfDraft, combinationsOf, draftOf, placed } from './draft';
import { freeName, idsOf, matching } from './filter';

const server = startServer();
const KEPT = presets as unknown as Preset[];
const mine = KEPT.find(({ is_system: isSystem }) => !isSystem) as Preset;

const served = () =>
  server.use(answer('/api/presets', presets), answer('/api/runtime-params/vllm', parameters));

describe('which presets are shown', () => {
  it('are those that match every word, the category and the engine', () => {
    const names = (filter: Parameters<typeof matching>[1]) => matching(KEPT, filter).map(({ name }) => name);
    expect(names({ q: 'tuning VLLM' })).toEqual(['vLLM Performance Tuning']);
    expect(names({ q: 'chunked-prefill-size' })).toEqual(['SGLang Performance Tuning']);
    expect(names({ runtime: 'vllm', category: 'latency' })).toEqual([mine.name]);
    expect(names({ runtime: 'any' })).toEqual([]);
  });

  it('are selected by ids in the address', () => {
    expect(idsOf('2,x,1,2,-3,')).toEqual([2, 1]);
    expect(idsOf(undefined)).toEqual([]);
  });

  it('get a name of their own', () => {
    expect(freeName('a', ['b'])).toBe('a');
    expect(freeName('a', ['a', 'a 2'])).toBe('a 3');
  });
});

describe('a draft', () => {
  it('keeps what it was made of', () => {
    const { name, description, category, runtime, parameters } = mine;
    expect(bodyOfDraft(draftOf(mine))).toMatchObject({ name, description, category, runtime, parameters });
  });

  it('leaves out rows without a name, and what is empty', () => {
    const draft = {
      ...draftOf(mine),
      description: ' ',
      runtime: '',
      rows: [
        { id: 0, name: ' max-num-seqs ', values: [4, 8] },
        { id: 1, name: '', values: [1] },
      ],
    };
    expect(bodyOfDraft(draft)).toMatchObject({
      description: null,
      runtime: null,
      parameters: { 'max-num-seqs': [4, 8] },
    });
    expect(combinationsOf(draft.rows)).toBe(2);
    expect(combinationsOf([])).toBeUndefined();
  });

  it('shows problems where they belong', () => {
    const told = placed([
      { path: 'name', message: 'is empty', hint: 'give it one' },
      { path: 'parameters.max-num-seqs[1]', message: 'cannot be "a"', hint: null },
      { path: 'parameters.max-num-seqs[2]', message: 'is too small', hint: null },
    ] as never);
    expect(told.fields).toEqual({ name: 'is empty: give it one' });
    expect(told.rows['max-num-seqs']).toEqual({
      text: 'cannot be "a"; is too small',
      wrong: new Set([1, 2]),
    });
  });
});

describe('the page of presets', () => {
  it('shows each with what it tries, and lets system ones alone', async () => {
    served();
    const { user } = await renderAt(<PresetsPage />, { at: '/presets' });
    const system = within(await screen.findByRole('article', { name: 'vLLM Performance Tuning' }));
    expect(system.getByText('System')).toBeVisible();
    expect(system.getByText('648 combinations')).toBeVisible();
    expect(system.getByRole('link', { name: 'Use' })).toHaveAttribute('href', '#new-task?presets=1');
    await user.click(system.getByRole('button', { name: /Actions of/ }));
    expect(await screen.findByRole('menuitem', { name: 'Duplicate' })).toBeVisible();
    expect(screen.queryByRole('menuitem', { name: 'Delete' })).toBeNull();
  });

  it('keeps filter and selection in the address', async () => {
    served();
    const { user, address } = await renderAt(<PresetsPage />, { at: '/presets?runtime=vllm' });
    const boxes = await screen.findAllByRole('checkbox');
    expect(boxes).toHaveLength(2);
    await user.click(screen.getByRole('checkbox', { name: `Select ${mine.name}` }));
    await user.click(screen.getByRole('checkbox', { name: 'Select vLLM Performance Tuning' }));
    expect(address()).toBe(`/presets?runtime=vllm&selected=${mine.id},1`);
    expect(screen.getByRole('link', { name: 'Use in a new task' })).toHaveAttribute(
      'href',
      `#new-task?presets=${mine.id},1`,
    );
  });

  it('previews a merge with its conflicts', async () => {
    served();
    const asked: unknown[] = [];
    server.use(
      http.post('*/api/presets/merge', async ({ request }) => {
        asked.push(await request.json());
        return HttpResponse.json({
          runtime: 'vllm',
          parameters: { 'max-num-seqs': [64, 128], dtype: ['auto'] },
          applied_presets: ['a', 'b'],
          conflicts: [
            {
              parameter: 'max-num-seqs',
              overridden_by: 'b',
              previous_values: [32],
              new_values: [64, 128],
            },
          ],
        });
      }),
    );
    const { user, address } = await renderAt(<PresetsPage />, {
      at: `/presets?selected=1,${mine.id}&merge=last_wins`,
    });
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('max-num-seqs: b replaces 32 with 64, 128')).toBeVisible();
    expect(dialog.getByText('2 parameters · 2 combinations')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Union' }));
    await waitFor(() => expect(address()).toContain('merge=union'));
    await waitFor(() => expect(asked).toHaveLength(2));
    expect(asked[1]).toEqual({ preset_ids: [1, mine.id], merge_strategy: 'union' });
  });

  it('says why presets do not go together', async () => {
    served();
    server.use(
      http.post('*/api/presets/merge', () =>
        HttpResponse.json(
          {
            detail: 'The presets do not go together',
            code: 'invalid',
            problems: [
              { path: 'presets', message: '"a" is for sglang', hint: 'merge presets of one engine' },
            ],
          },
          { status: 422 },
        ),
      ),
    );
    await renderAt(<PresetsPage />, { at: '/presets?selected=1,2&merge=union' });
    expect(await screen.findByText('"a" is for sglang: merge presets of one engine')).toBeVisible();
  });

  it('keeps a copy that is changed, with values as they are typed', async () => {
    served();
    let kept: unknown;
    server.use(
      http.post('*/api/presets', async ({ request }) => {
        kept = await request.json();
        return HttpResponse.json({ ...mine, id: 9 }, { status: 201 });
      }),
    );
    const { user, address } = await renderAt(<PresetsPage />, { at: `/presets?edit=new&of=${mine.id}` });
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByRole('textbox', { name: /^Name/ })).toHaveValue(`${mine.name} copy`);
    const [name] = Object.keys(mine.parameters);
    await user.type(dialog.getByRole('textbox', { name: `Values of ${name}` }), '512, true, auto{Enter}');
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(kept).toBeDefined());
    expect(kept).toMatchObject({
      name: `${mine.name} copy`,
      runtime: 'vllm',
      parameters: { [String(name)]: [...(mine.parameters[String(name)] as never[]), 512, true, 'auto'] },
    });
    await waitFor(() => expect(address()).toBe('/presets'));
  });

  it('asks before it drops what was typed, and before it deletes', async () => {
    served();
    const deleted: string[] = [];
    server.use(
      http.delete('*/api/presets/:id', ({ params }) => {
        deleted.push(String(params.id));
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const { user, address } = await renderAt(<PresetsPage />, { at: `/presets?edit=${mine.id}` });
    await user.type(await screen.findByRole('textbox', { name: /^Name/ }), ' changed');
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await user.click(await screen.findByRole('button', { name: 'Discard' }));
    await waitFor(() => expect(address()).toBe('/presets'));
    await user.click(screen.getByRole('button', { name: `Actions of ${mine.name}` }));
    await user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    expect(deleted).toEqual([]);
    await user.click(await screen.findByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(deleted).toEqual([String(mine.id)]));
  });

  it('takes several files, and tells of each', async () => {
    served();
    server.use(
      http.post('*/api/presets/import', async ({ request }) => {
        const { preset } = (await request.json()) as { preset: Preset };
        return preset.name === 'bad'
          ? HttpResponse.json(
              {
                detail: 'The preset has a problem',
                code: 'invalid',
                problems: [{ path: 'parameters', message: 'cannot be empty' }],
              },
              { status: 422 },
            )
          : HttpResponse.json({ ...mine, name: preset.name }, { status: 201 });
      }),
    );
    const { user } = await renderAt(<PresetsPage />, { at: '/presets' });
    const file = (name: string, text: string) => new File([text], name, { type: 'application/json' });
    const preset = (name: string) => JSON.stringify({ version: '1.0', preset: { name, parameters: {} } });
    await user.upload(await screen.findByLabelText('Import', { selector: 'input' }), [
      file('good.json', preset('good')),
      file('bad.json', preset('bad')),
      file('other.json', '{'),
    ]);
    expect(await screen.findByText('good was imported')).toBeInTheDocument();
    expect(await screen.findByText('bad.json was not imported')).toBeInTheDocument();
    expect(await screen.findByText('parameters: cannot be empty')).toBeInTheDocument();
    expect(await screen.findByText('other.json is not JSON')).toBeInTheDocument();
  });

  it('shows a viewer the presets and nothing to change them with', async () => {
    served();
    server.use(answer('/api/auth/me', { name: 'ann', role: 'viewer' }));
    await renderAt(<PresetsPage />, { at: '/presets?edit=new' });
    expect(await screen.findByRole('article', { name: mine.name })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'New preset' })).toBeNull();
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(screen.queryByRole('link', { name: 'Use' })).toBeNull();
  });
});
