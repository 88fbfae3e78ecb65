/** What the playground's page has beside the picture's style. */
export const LIVE_STYLE: string = `
body{grid-template:auto 1fr/1fr 410px}
header h1{white-space:nowrap}
.menus{display:flex;gap:8px}
#figures{font-variant-numeric:tabular-nums;white-space:nowrap}
.time{display:flex;gap:6px;align-items:center;flex-basis:100%}
.time input{flex:1;min-width:120px;padding:0}
#play{min-width:40px;font-weight:650}
#time{min-width:170px;font-variant-numeric:tabular-nums}
.time.past #time{color:var(--select);font-weight:650}
button:disabled{opacity:.45;cursor:default}
#alarm{flex-basis:100%;margin:2px 0;padding:6px 10px;border-radius:5px;border:1px solid var(--bad);
color:var(--bad);font-weight:650;max-height:6em;overflow:auto}
#notice{position:fixed;left:12px;bottom:52px;margin:0;padding:6px 12px;border-radius:6px;z-index:3;
background:var(--panel);border:1px solid var(--select);max-width:60ch}
#notice.bad{border-color:var(--bad)}
.replaying #stage canvas{opacity:.4}
.part>summary{margin:2px 0 4px}
.node{margin:0 0 6px!important;padding:5px 7px;border:1px solid var(--line);border-radius:6px;
border-left-width:4px;border-left-color:var(--call);background:var(--ground)}
.node[data-status=down],.node[data-status=broken]{border-left-color:var(--bad)}
.node[data-status=paused]{border-left-color:var(--fault)}
.node .head{display:flex;gap:4px 8px;white-space:nowrap;align-items:baseline;
font-variant-numeric:tabular-nums}
.node .roles{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis}
.node .status{color:var(--call)}
.node[data-status=down] .status,.node[data-status=broken] .status{color:var(--bad)}
.node[data-status=paused] .status{color:var(--fault)}
.node .clock{font-size:11px}
.acts{display:flex;gap:4px;flex-wrap:wrap;margin-top:4px;align-items:center}
.acts button,.acts select{padding:1px 6px}
.node select{width:84px;flex:1;padding:1px 2px}
select.troubled{border-color:var(--fault);box-shadow:inset 0 -2px var(--fault)}
.links{width:auto}.links th,.links td{padding:1px;text-align:center}
.links th[scope=row]{text-align:left;padding-right:6px;white-space:nowrap}
.links td button{min-width:26px;padding:0 4px}
.links button.cut{color:var(--bad);border-color:var(--bad);font-weight:650}
.console{display:grid;grid-template-columns:auto auto 1fr 1fr auto;gap:4px}
.console input{min-width:0}
.told{list-style:none;margin:6px 0 0;padding:0;max-height:150px;overflow:auto;overflow-wrap:anywhere}
.told li{padding:1px 0 1px 6px;border-left:3px solid var(--call)}
.told li[data-end=open]{border-color:var(--line)}
.told li[data-end=refused],.told li[data-end=unknown]{border-color:var(--bad)}
.deeds{max-height:130px}.deeds .later{opacity:.45}
aside #story{max-height:200px}
.tall{display:block;margin:6px 0}.tall input,.tall textarea{display:block;width:100%}
textarea{font:12px ui-monospace,monospace;color:inherit;background:var(--ground);
border:1px solid var(--line);border-radius:5px}
.wide{display:grid;grid-template-columns:1fr 260px;margin:5px 0}
dialog{max-width:560px}
#proof{display:block;white-space:pre-wrap;margin-top:6px;font:12px ui-monospace,monospace}
@media (max-width:800px){body{grid-template:auto 1fr 45vh/1fr}}
`;
