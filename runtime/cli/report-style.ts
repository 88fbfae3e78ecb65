/**
 * The style of a report's page: the colours of the picture's page, as the reader's system has it.
 */
export const REPORT_STYLE: string = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif;--ground:#fff;--panel:#f5f6f8;
--line:#d4d8de;--text:#17191d;--soft:#5a6270;--good:#00785a;--bad:#c4321a;--bar:#0072b2;
--select:#0050d0}
@media (prefers-color-scheme:dark){:root{--ground:#121417;--panel:#1b1e23;--line:#363c45;
--text:#e9ecf1;--soft:#a3acb9;--good:#2fc79b;--bad:#ff7a5c;--bar:#56b4e9;--select:#8ab8ff}}
*{box-sizing:border-box}
html{scroll-padding-top:60px}
body{margin:0;background:var(--ground);color:var(--text)}
header{position:sticky;top:0;z-index:1;display:flex;gap:6px 14px;align-items:center;
flex-wrap:wrap;padding:8px max(16px,calc(50vw - 560px));background:var(--panel);
border-bottom:1px solid var(--line)}
h1{font-size:18px;margin:0}h2{font-size:20px;margin:0 0 10px}h3{font-size:15px;margin:18px 0 6px}
h4{font-size:14px;margin:14px 0 6px}
nav{margin-left:auto;display:flex;gap:14px}
a{color:var(--select)}
main{max-width:1152px;margin:0 auto;padding:20px 16px 60px}
section{margin-top:36px}
.verdict{padding:1px 10px;border-radius:11px;border:1px solid currentColor;font-weight:650}
.good{color:var(--good)}.bad{color:var(--bad)}.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:0}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
dt{color:var(--soft)}dd{margin:0}dd:nth-child(2){font-size:24px;font-weight:650;line-height:1.3;
font-variant-numeric:tabular-nums}dd.soft{font-size:13px}
details{border:1px solid var(--line);border-radius:8px;padding:8px 14px;margin:8px 0}
details.failure{
border-left:4px solid var(--bad);background:var(--panel)}
summary{cursor:pointer}summary h3{display:inline;margin:0;overflow-wrap:anywhere}
.count{font-weight:650;color:var(--bad);margin:0 8px}
pre,code{font:13px/1.45 ui-monospace,monospace}
pre{margin:0 0 10px;padding:10px 12px;background:var(--ground);border:1px solid var(--line);
border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;max-height:340px;overflow:auto}
.paste{display:flex;gap:10px;align-items:center;margin:4px 0;flex-wrap:wrap}
.paste span{flex:0 0 300px;color:var(--soft)}
.command{background:var(--ground);border:1px solid var(--line);border-radius:5px;padding:2px 8px;
overflow-wrap:anywhere;user-select:all}
button{font:inherit;font-size:13px;color:inherit;background:var(--ground);cursor:pointer;
border:1px solid var(--line);border-radius:5px;padding:1px 9px}
button:hover{border-color:var(--soft)}
:focus-visible{outline:2px solid var(--select);outline-offset:2px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:3px 14px 3px 0;vertical-align:top;white-space:nowrap}
td:last-child:not(.number){white-space:normal}
th{font-weight:500}thead th{color:var(--soft);border-bottom:1px solid var(--line)}
tbody tr:hover{background:var(--panel)}
.number{text-align:right}
.never{columns:2 420px;padding-left:18px;margin:0 0 12px;font-size:14px}
.never li{break-inside:avoid}
.bar{width:110px;height:9px;vertical-align:middle;border-radius:4px;background:var(--line);
fill:var(--bar)}
@media (max-width:700px){.paste span{flex-basis:100%}nav{margin-left:0}}
@media print{header{position:static}button{display:none}}
`;
