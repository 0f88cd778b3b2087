//! How the page looks: the colours of the web interface, light and dark, on screen and on paper.

/// The whole style sheet.
pub(super) const STYLE: &str = r#"
:root{color-scheme:light dark;
--bg:oklch(.985 .002 265);--surface:oklch(1 0 0);--sunken:oklch(.965 .004 265);--line:oklch(.915 .006 265);
--fg:oklch(.235 .02 265);--muted:oklch(.475 .02 265);--accent:oklch(.51 .21 275);--accent-soft:oklch(.955 .024 280);--warn:oklch(.52 .115 70);--warn-soft:oklch(.965 .045 90);
--bad:oklch(.52 .195 26);
--s0:#4f46e5;--s1:#c2570c;--s2:#0f766e;--s3:#be185d;--s4:#0369a1;--s5:#7c5c00;--s6:#6d28d9;--s7:#3f6212}
@media screen and (prefers-color-scheme:dark){:root{
--bg:oklch(.165 .012 268);--surface:oklch(.2 .014 268);--sunken:oklch(.145 .01 268);--line:oklch(.285 .016 268);
--fg:oklch(.955 .005 268);--muted:oklch(.735 .015 268);--accent:oklch(.74 .13 280);--accent-soft:oklch(.285 .06 278);--warn:oklch(.83 .13 85);--warn-soft:oklch(.285 .045 80);
--bad:oklch(.745 .15 22);
--s0:#a5b4fc;--s1:#fb9a4b;--s2:#4fd1c0;--s3:#f48fbe;--s4:#6cc4f5;--s5:#e3c04f;--s6:#c9a8fb;--s7:#a8d163}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.55 "Inter Variable",Inter,ui-sans-serif,system-ui,"Segoe UI",sans-serif;-webkit-font-smoothing:antialiased}
main{max-width:1160px;margin:0 auto;padding:32px 24px 56px}
header{margin-bottom:24px}
.brand{display:flex;align-items:center;gap:8px;color:var(--muted);font-size:12px;font-weight:500;letter-spacing:.02em}
.brand svg{width:18px;height:18px;color:var(--accent)}
h1{margin:10px 0 2px;font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{margin:36px 0 4px;font-size:16px;font-weight:620;letter-spacing:-.005em}
h3{margin:0 0 6px;font-size:13px;font-weight:600}
p{margin:0 0 12px}.lead,.hint{color:var(--muted)}.hint{font-size:13px;max-width:100ch}
.lead{overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:12px;margin-top:20px}
.tile,.card{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile dt{color:var(--muted);font-size:12px}.tile dd{margin:2px 0 0;font-size:22px;font-weight:620;letter-spacing:-.01em;font-variant-numeric:tabular-nums;white-space:nowrap}
.tile small{display:block;color:var(--muted);font-size:12px;font-weight:400;letter-spacing:0;white-space:normal}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:12px;margin-top:10px}
.grid.charts{grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr))}
.card{min-width:0}
.scroll+.hint{margin-top:8px}
.scroll{overflow-x:auto;padding:0;margin-top:10px}
table{width:100%;border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:8px 10px;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
thead tr+tr th{padding-top:0}thead tr:first-child th[colspan]{padding-bottom:2px;color:var(--fg)}td strong{font-weight:620}
thead th{border-top:0;vertical-align:bottom;color:var(--muted);font-weight:500;font-size:12px;background:var(--sunken)}
thead tr:first-child th:first-child{border-top-left-radius:10px}thead tr:first-child th:last-child{border-top-right-radius:10px}
th:first-child,td:first-child,.text{text-align:left}
td.wrap{white-space:normal;overflow-wrap:anywhere;min-width:220px}
tbody tr:hover{background:var(--accent-soft)}
.sw{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:8px;vertical-align:baseline}
.bad{color:var(--bad)}
.note{border-radius:8px;padding:9px 12px;margin:10px 0 0;background:var(--accent-soft);color:var(--fg);border-left:3px solid var(--accent);font-size:13px;overflow-wrap:anywhere}
.note.warn{background:var(--warn-soft);border-color:var(--warn)}
td small{display:block;color:var(--muted);font-size:10.5px;line-height:1.3}
td{vertical-align:top}
svg.chart{display:block;width:100%;height:auto;overflow:visible}
svg.chart text{font-size:11px;fill:var(--muted);font-variant-numeric:tabular-nums}
svg.chart text.point{fill:var(--fg);font-size:10.5px;paint-order:stroke;stroke:var(--surface);stroke-width:3px}
svg.chart .axis{stroke:var(--line);stroke-width:1;shape-rendering:crispEdges}
svg.chart .mark{stroke:var(--muted);stroke-width:1;stroke-dasharray:3 3}
svg.chart path{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin:10px 0 0;padding:0;list-style:none;color:var(--muted);font-size:12px}
.legend svg{width:18px;height:8px;margin-right:6px;vertical-align:middle}
dl.facts{display:grid;grid-template-columns:minmax(110px,auto) 1fr;gap:5px 16px;margin:0;font-size:13px}
dl.facts dt{color:var(--muted)}dl.facts dd{margin:0;overflow-wrap:anywhere}
pre{margin:10px 0 0;padding:14px 16px;background:var(--sunken);border:1px solid var(--line);border-radius:10px;font:12.5px/1.6 "JetBrains Mono Variable","JetBrains Mono",ui-monospace,SFMono-Regular,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:40px;padding-top:16px;border-top:1px solid var(--line);color:var(--muted);font-size:12px}
@media (max-width:600px){main{padding:20px 14px 40px}h1{font-size:21px}.tiles{grid-template-columns:1fr 1fr}.tile:first-child{grid-column:span 2}.tile dd{font-size:19px}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:8px}th,td{padding:7px 9px}}
@media print{main{max-width:none;padding:0}body{background:#fff}.card,.tile,tr,pre{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}table{font-size:10.5px}th,td{padding:5px 6px}a{color:inherit}}
"#;
