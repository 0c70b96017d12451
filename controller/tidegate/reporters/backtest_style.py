"""The style of a backtest's page: light and dark by what the reader's system asks for. Colours are told apart by people
who see few of them (after Okabe and Ito, 2008)."""

STYLE = """
:root{--paper:#fff;--page:#f6f7f9;--ink:#1b2330;--soft:#5d6878;--faint:#e3e7ec;--accent:#0b6bcb;
--canary:#d55e00;--stable:#0072b2;--same:#0a7d5a;--different:#b3195f;--unread:#8a5a00;
--o0:#0f766e;--o1:#7c3aed;--o2:#a16207;--o3:#be185d;--o4:#4b5563;
--c0:#9fd3c7;--c1:#8fb8e8;--c2:#f3c98b;--c3:#cfb6ee;--c4:#f2a7b5;--c5:#b9cf8a;--c6:#c9b8a0;--c7:#c3cad3;--asked:#f6e58d}
@media (prefers-color-scheme:dark){:root{--paper:#171c24;--page:#0f1319;--ink:#e7ecf3;--soft:#98a4b5;--faint:#2a323e;
--accent:#6db3f8;--canary:#ff8a3d;--stable:#5ab4f0;--same:#4fd1a5;--different:#ff7ab6;--unread:#f0b85a;
--o0:#2dd4bf;--o1:#b794ff;--o2:#facc15;--o3:#f472b6;--o4:#a9b4c4;
--c0:#2f6f63;--c1:#33598c;--c2:#8a6427;--c3:#61498a;--c4:#8a3f50;--c5:#566c2a;--c6:#6b5c45;--c7:#4a535f;--asked:#8f8024}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Open Sans",sans-serif}
main{max-width:1160px;margin:0 auto;padding:40px 20px 64px}
.kind{margin:0;color:var(--soft);font-size:13px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:2px 0 4px;font-size:34px;line-height:1.15;letter-spacing:-.02em}
.headline{margin:0;font-size:20px}
.scope{margin:6px 0 0;color:var(--soft)}
.by{margin:20px 0 -14px;font-weight:600}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin:22px 0 16px;padding:0;list-style:none}
.card{flex:1 1 140px;padding:14px 18px;background:var(--paper);border:1px solid var(--faint);border-radius:12px}
.card strong{display:block;font-size:28px;line-height:1.2;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px}
.card.same strong{color:var(--same)}.card.different strong{color:var(--different)}
.card.unread strong{color:var(--unread)}.card.person strong{color:var(--soft)}
nav ol{margin:0;padding:8px 18px;list-style:none;background:var(--paper);border:1px solid var(--faint);
border-radius:12px}
nav li{display:flex;align-items:center;gap:12px;padding:6px 0;border-top:1px solid var(--faint)}
nav li:first-child{border-top:0}
a{color:var(--accent);text-decoration:none}a:hover,a:focus{text-decoration:underline}
section,footer{margin-top:28px;padding:22px 24px;background:var(--paper);border:1px solid var(--faint);
border-radius:14px}
h2{display:flex;flex-wrap:wrap;align-items:center;gap:10px;margin:0 0 8px;font-size:18px;letter-spacing:-.01em}
.badge{flex:none;min-width:64px;padding:1px 10px;border:1.5px solid currentColor;border-radius:99px;font-size:12px;
font-weight:600;line-height:1.6;text-align:center}
.badge.same{color:var(--same)}.badge.different{color:var(--different)}.badge.unread{color:var(--unread)}
.badge.person{color:var(--soft)}
.note{margin:8px 0;padding:8px 14px;border-left:4px solid var(--soft);background:var(--page);border-radius:0 8px 8px 0}
.note.different{border-color:var(--different)}.note.unread{border-color:var(--unread)}.note.tuned{border-color:var(--o2)}
figure{margin:14px 0 6px}
.wide{overflow-x:auto}
.chart{display:block;width:100%;min-width:760px;height:auto}
figcaption{display:flex;flex-wrap:wrap;gap:6px 18px;margin-top:8px;color:var(--soft);font-size:13px}
.key{display:inline-flex;align-items:center;gap:7px}.key svg{width:18px;height:12px;flex:none}
text{font:12px system-ui,"Segoe UI",Roboto,"Open Sans",sans-serif;fill:var(--ink)}
.label{font-weight:600}.tick{fill:var(--soft);font-size:11px}
.middle{text-anchor:middle}.end{text-anchor:end}
.mark{font-weight:600}.mark.back{fill:var(--different)}
.floor{stroke:var(--soft);stroke-width:1;opacity:.55}
.rule{stroke:var(--faint);stroke-width:1}
.real{stroke:var(--soft);stroke-width:1;stroke-dasharray:1 3}
.differs{stroke:var(--different);stroke-width:2;stroke-dasharray:5 4}
.limit,.needed{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4}
.needed{stroke:var(--different);stroke-width:1.6}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.line.canary{stroke:var(--canary)}.line.stable{stroke:var(--stable)}.line.weight{stroke:var(--accent)}
.line.limit{stroke:var(--soft)}.dot{stroke-width:6}
.area{opacity:.16;stroke:none}.area.weight{fill:var(--accent)}
.o0{stroke:var(--o0)}.o1{stroke:var(--o1)}.o2{stroke:var(--o2)}.o3{stroke:var(--o3)}.o4{stroke:var(--o4)}
.area.o0{fill:var(--o0)}.area.o1{fill:var(--o1)}.area.o2{fill:var(--o2)}.area.o3{fill:var(--o3)}.area.o4{fill:var(--o4)}
.area{stroke:none!important}
.span{stroke:var(--paper);stroke-width:1}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}
.c6{fill:var(--c6)}.c7{fill:var(--c7)}
.span.asked{fill:var(--asked)}
.span.unread{fill:none;stroke:var(--unread);stroke-width:1.5;stroke-dasharray:3 2}
.span.unknown{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 4}
.move{stroke:var(--paper);stroke-width:1.5}
.move.forth{fill:var(--same)}.move.back{fill:var(--different)}.move.asked{fill:var(--paper);stroke:var(--ink)}
table{width:100%;border-collapse:collapse;font-size:14px}
th,td{padding:7px 12px 7px 0;border-top:1px solid var(--faint);text-align:left;vertical-align:top}
th{color:var(--soft);font-size:12px;font-weight:600;border-top:0}
td:nth-child(2){min-width:170px}
td{overflow-wrap:anywhere}
.at{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}
td.different{color:var(--different)}td.unread{color:var(--unread)}td.person{color:var(--soft)}
details{margin-top:12px}summary{cursor:pointer;color:var(--soft)}
.shares{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:10px 0 0;font-size:13px}
dd{display:flex;align-items:center;gap:10px;margin:0;font-variant-numeric:tabular-nums}
dd svg{width:240px;height:8px;flex:none}
footer ul{margin:0;padding-left:20px;color:var(--soft)}
@media (max-width:640px){main{padding:28px 12px 48px}section,footer{padding:18px 16px}
thead{display:none}table,tbody,tr,td{display:block}tr{padding:8px 0;border-top:1px solid var(--faint)}
td{padding:2px 0;border:0}td[data-by]::before{content:attr(data-by) ": ";color:var(--soft)}
.shares{grid-template-columns:1fr}dd svg{flex:1 1 auto}}
@media print{body{background:#fff}section{break-inside:avoid}}
"""
