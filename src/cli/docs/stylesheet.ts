/** The one stylesheet of the manual: system fonts, light and dark. */
export const stylesheet = `:root {
  color-scheme: light dark;
  --text: #1c2024; --soft: #5b6470; --paper: #ffffff; --shade: #f4f5f7; --line: #d9dde3; --link: #0b57a4; --result: #1a6b36;
}
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e6ea; --soft: #a0a9b4; --paper: #14171a; --shade: #1e2328; --line: #343b43; --link: #7db8ff; --result: #83d29b; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
header { padding: .8rem 1.5rem; border-bottom: 1px solid var(--line); font-weight: 600; }
header a { color: inherit; }
.columns { display: grid; grid-template-columns: 15rem minmax(0, 1fr); }
.menu { padding: 1rem 1.5rem; border-right: 1px solid var(--line); font-size: .9rem; }
.menu h2 { margin: 1.2rem 0 .3rem; font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
.menu ul { margin: 0; padding: 0; list-style: none; }
.menu [aria-current] { font-weight: 600; color: inherit; }
main { max-width: 56rem; padding: 1rem 2rem 4rem; }
h1 { font-size: 1.8rem; margin: .6rem 0 1rem; }
main h2 { margin: 2.6rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
main h3 { margin: 1.8rem 0 .5rem; font-size: 1.1rem; }
.anchor { color: var(--soft); opacity: 0; font-weight: 400; }
:is(h2, h3, h4):hover .anchor, .anchor:focus { opacity: 1; }
code, pre { font-family: ui-monospace, "SFMono-Regular", Consolas, "Liberation Mono", monospace; font-size: .9em; }
pre { margin: .8rem 0; padding: .7rem .9rem; overflow-x: auto; background: var(--shade); border-radius: 6px; }
pre.signature { border-left: 3px solid var(--link); border-radius: 0 6px 6px 0; white-space: pre-wrap; }
pre code { font-size: .88rem; }
.result { color: var(--result); }
.table { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .35rem .7rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td:first-child { white-space: nowrap; }
tr:target, :is(h2, h3, h4):target { background: var(--shade); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: .8rem 0; font-size: .92rem; }
dt { color: var(--soft); }
dd { margin: 0; }
.contents ul { columns: 12rem; margin: 0 0 1rem; padding: 0; list-style: none; font-size: .92rem; }
@media (max-width: 48rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .menu { order: 2; border-right: 0; border-top: 1px solid var(--line); }
  main { padding: 1rem; }
}
@media print { .menu, .skip, .anchor { display: none; } .columns { display: block; } }
`;
