/** A text editor for documents: what is wrong is marked where it stands, what is known is offered. */
import { autocompletion } from '@codemirror/autocomplete';
import { json } from '@codemirror/lang-json';
import { yaml } from '@codemirror/lang-yaml';
import { indentUnit } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, hoverTooltip, keymap } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { cx } from '@/lib/cx';
import { completeFrom, tellAt } from './assist';
import type { Known, Schema } from './schema';
import type { TextFormat } from './text';
import { theme } from './theme';

export interface Mark {
  from: number;
  to: number;
  severity: 'error' | 'warning';
  message: string;
}

export interface CodeEditorHandle {
  /** Puts the cursor at an offset, in view. */
  goTo: (from: number, to?: number) => void;
}

export interface CodeEditorProps {
  text: string;
  onChange: (text: string) => void;
  format: TextFormat;
  label: string;
  marks: readonly Mark[];
  schema?: Schema;
  /** Names below `parameters`, with what is known of them. */
  parameters?: readonly Known[];
  className?: string;
  ref?: Ref<CodeEditorHandle>;
}

const LANGUAGES = { yaml, json };

export default function CodeEditor(props: CodeEditorProps) {
  const { text, onChange, format, label, marks, className, ref } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const known = useRef(props);
  known.current = props;
  const change = useRef(onChange);
  change.current = onChange;

  // The editor is made once for a format; what changes later is handed to it.
  useEffect(() => {
    const place = host.current;
    if (!place) return;
    // The page allows no style elements; inside a shadow root the editor brings its styles without them.
    const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: known.current.text,
        extensions: [
          // Ctrl+Enter is the form's.
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => true }])),
          basicSetup,
          lintGutter(),
          autocompletion({
            override: [(context) => completeFrom(context, format, known.current)],
            icons: false,
          }),
          hoverTooltip((view, pos) => tellAt(view, pos, known.current)),
          LANGUAGES[format](),
          indentUnit.of('  '),
          EditorState.tabSize.of(2),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) change.current(update.state.doc.toString());
          }),
          theme,
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, [format, label]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another editor has no marks yet
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { length } = editor.state.doc;
    const shown = marks.map(
      ({ from, to, severity, message }): Diagnostic => ({
        from: Math.min(from, length),
        to: Math.min(Math.max(to, from), length),
        severity,
        message,
      }),
    );
    editor.dispatch(setDiagnostics(editor.state, shown));
  }, [marks, format]);

  useImperativeHandle(
    ref,
    () => ({
      goTo: (from, to = from) => {
        const editor = view.current;
        if (!editor) return;
        const { length } = editor.state.doc;
        const selection = { anchor: Math.min(from, length), head: Math.min(to, length) };
        editor.dispatch({
          selection,
          effects: EditorView.scrollIntoView(selection.anchor, { y: 'center' }),
        });
        editor.focus();
      },
    }),
    [],
  );

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that were typed here are no shortcuts of the page
    <div
      ref={host}
      onKeyDown={(event) => {
        if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
      }}
      className={cx('block min-h-0 overflow-hidden', className)}
    />
  );
}
