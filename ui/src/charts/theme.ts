/** How every chart looks before it says anything of its own. */
import type { Tokens } from './tokens';

/** The chart library's theme in the colours of the page. */
export function chartTheme(tokens: Tokens): object {
  const axis = {
    axisLine: { show: true, lineStyle: { color: tokens.line } },
    axisTick: { show: false },
    axisLabel: { color: tokens.muted, fontSize: 11, fontFamily: tokens.font, hideOverlap: true },
    splitLine: { show: true, lineStyle: { color: tokens.line, opacity: 0.7 } },
    nameTextStyle: { color: tokens.muted, fontSize: 11, fontFamily: tokens.font },
  };
  return {
    color: tokens.series,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: tokens.font, color: tokens.fg, fontSize: 12 },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    logAxis: axis,
    timeAxis: axis,
    parallel: {
      parallelAxisDefault: {
        nameTextStyle: { color: tokens.fg, fontSize: 11, fontFamily: tokens.font },
        axisLabel: { color: tokens.muted, fontSize: 11, fontFamily: tokens.font },
        axisLine: { lineStyle: { color: tokens['line-strong'] } },
      },
    },
    legend: {
      textStyle: { color: tokens.muted, fontSize: 11, fontFamily: tokens.font },
      inactiveColor: tokens.line,
      itemWidth: 14,
      itemHeight: 9,
      itemGap: 14,
    },
    tooltip: {
      confine: true,
      className: 'chart-tip',
      backgroundColor: tokens.raised,
      borderColor: tokens.line,
      borderWidth: 1,
      padding: [8, 10],
      textStyle: { color: tokens.fg, fontSize: 12, fontFamily: tokens.font },
      axisPointer: {
        lineStyle: { color: tokens['line-strong'] },
        crossStyle: { color: tokens['line-strong'] },
        shadowStyle: { color: tokens.line, opacity: 0.4 },
      },
    },
  };
}
