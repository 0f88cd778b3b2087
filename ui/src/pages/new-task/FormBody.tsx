/** Every field of a task document, in sections. */
import { memo } from 'react';
import { AdvancedSection } from './sections/Advanced';
import { BasicSection, EngineSection, ModelSection } from './sections/Basics';
import { ParametersSection } from './sections/Parameters';
import { OptimizationSection, ParallelSection, QuantSection } from './sections/Search';
import { BenchmarkSection, SloSection } from './sections/Workload';
import type { Source } from './source';

export const FormBody = memo(function FormBody({ mode }: { mode: Source['mode'] }) {
  return (
    <form
      noValidate
      onSubmit={(event) => event.preventDefault()}
      className="min-w-0 space-y-4 [font-variant-ligatures:none]"
    >
      <BasicSection />
      <EngineSection />
      <ModelSection />
      <ParametersSection />
      <QuantSection />
      <ParallelSection />
      <OptimizationSection />
      <BenchmarkSection />
      <SloSection />
      <AdvancedSection mode={mode} />
    </form>
  );
});
