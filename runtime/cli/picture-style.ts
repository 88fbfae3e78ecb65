/**
 * The style of the picture's page. Colours are set here only; the canvas reads them. They are those
 * of Okabe and Ito, which people with any colour vision tell apart, darkened for light ground.
 */
export const PICTURE_STYLE: string = `
:root{color-scheme:light dark;font:13px/1.4 system-ui,sans-serif}
:root,:root[data-theme=light]{--ground:#fff;--panel:#f5f6f8;--line:#d4d8de;--text:#17191d;
--soft:#5a6270;--lane:#f0f2f5;--raft:#0072b2;--vote:#b35900;--snapshot:#8a4a9f;--call:#00785a;
--other:#6b7280;--bad:#c4321a;--cone:#d1008f;--fault:#e69f00;--select:#0050d0;--down:#9aa1ab}
:root[data-theme=dark]{--ground:#121417;--panel:#1b1e23;--line:#363c45;--text:#e9ecf1;
--soft:#a3acb9;--lane:#1a1d22;--raft:#56b4e9;--vote:#f0a045;--snapshot:#d79be0;--call:#2fc79b;
--other:#98a1ae;--bad:#ff7a5c;--cone:#ff6ac6;--fault:#e6b84c;--select:#8ab8ff;--down:#5d6570}
:root[data-theme=dark]{color-scheme:dark}:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;height:100vh;display:grid;grid-template:auto 1fr/1fr 340px;background:var(--ground);
color:var(--text);overflow:hidden}
header{grid-column:1/3;display:flex;gap:8px;align-items:center;padding:6px 10px;flex-wrap:wrap;
background:var(--panel);border-bottom:1px solid var(--line)}
h1{font-size:14px;margin:0;font-weight:650}h2{font-size:13px;margin:0 0 4px;font-weight:650}
.verdict{padding:1px 8px;border-radius:9px;border:1px solid currentColor;font-weight:650}
.verdict.bad{color:var(--bad)}.verdict.good{color:var(--call)}
.gap{flex:1}
button,select,input{font:inherit;color:inherit;background:var(--ground);
border:1px solid var(--line);border-radius:5px;padding:3px 8px}
button{cursor:pointer}button:hover{border-color:var(--soft)}
input[type=search]{width:190px}
:focus-visible{outline:2px solid var(--select);outline-offset:1px}
#stage{position:relative;min-width:0;min-height:0;overflow:hidden}
#stage canvas{position:absolute;inset:0;display:block;width:100%;height:100%}
#stage canvas:focus-visible{outline-offset:-2px}
#tip{position:absolute;pointer-events:none;max-width:320px;padding:4px 7px;border-radius:5px;
background:var(--panel);border:1px solid var(--line);white-space:pre-line;z-index:2}
aside{overflow:auto;border-left:1px solid var(--line);background:var(--panel);padding:10px}
aside section{margin-bottom:14px}
#details table+h2{margin-top:10px}
aside p{margin:0 0 6px;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:1px 6px 1px 0;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:500;color:var(--soft)}
ul{list-style:none;margin:0;padding:0;max-height:36vh;overflow:auto}
li button{width:100%;text-align:left;border:0;background:none;padding:2px 4px;border-radius:4px}
li button:hover{background:var(--ground)}li time{color:var(--soft);margin-right:6px}
li button[aria-current=true]{background:var(--ground);box-shadow:inset 3px 0 var(--select)}
.soft{color:var(--soft)}.bad{color:var(--bad)}
details{margin-bottom:10px}summary{cursor:pointer;font-weight:650}
label{display:flex;gap:5px;align-items:center}
.legend{display:grid;grid-template-columns:34px 1fr;gap:2px 6px;align-items:center}
.legend svg{display:block}
dialog{border:1px solid var(--line);border-radius:8px;background:var(--panel);color:inherit;
max-width:460px}
dialog td:first-child{white-space:nowrap;padding-right:14px}
kbd{border:1px solid var(--line);border-radius:4px;padding:0 5px;background:var(--ground)}
[hidden]{display:none!important}
@media (max-width:800px){body{grid-template:auto 1fr 40vh/1fr}header{grid-column:1}}
`;
