/** Style of the overlay. It lives in a shadow root, so that neither page nor overlay changes the other's looks. */
export const OVERLAY_STYLE = `
:host { all: initial; }
dialog {
  --room: #f2f5f6; --text: #14232b; --soft: #51636d; --card: #fff; --line: #dfe5e8;
  --accent: #0f766e; --on-accent: #fff; --dot: #0f766e; --core: #fff; --ring: #1d6fd8;
  position: fixed; inset: 0; width: 100vw; height: 100vh; height: 100dvh; max-width: none; max-height: none;
  margin: 0; padding: 0; border: 0; outline: 0; background: var(--room); color: var(--text); overflow: hidden;
  font: 16px / 1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  dialog {
    --room: #10191d; --text: #e8eff1; --soft: #9db0b8; --card: #172125; --line: #2a373d;
    --accent: #2fb3a3; --on-accent: #05201d; --dot: #2fb3a3; --core: #05201d; --ring: #7db5ff;
  }
}
dialog::backdrop { background: none; }
[hidden] { display: none !important; }
.card {
  position: absolute; inset: 0; margin: auto; height: fit-content; width: min(440px, calc(100% - 32px));
  box-sizing: border-box; padding: 28px; border: 1px solid var(--line); border-radius: 18px; background: var(--card);
}
h2 { margin: 0 0 8px; font-size: 1.375rem; line-height: 1.2; font-weight: 700; letter-spacing: -0.012em; text-wrap: balance; }
p { margin: 0; }
.text { color: var(--soft); text-wrap: pretty; }
.buttons { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 22px; }
button {
  font: inherit; font-weight: 600; min-height: 44px; padding: 8px 20px; border-radius: 12px; cursor: pointer;
  border: 1px solid var(--line); background: transparent; color: var(--text);
}
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
h2:focus { outline: none; }
.dot { position: absolute; width: 44px; height: 44px; margin: -22px 0 0 -22px; pointer-events: none; }
.dot::before, .dot::after { content: ""; position: absolute; inset: 0; border-radius: 50%; }
.dot::before { background: var(--dot); transition: transform var(--watch, 0s) linear; }
.dot.watched::before { transform: scale(0.3); }
.dot::after { inset: 19px; background: var(--core); }
.foot {
  position: absolute; inset: auto 0 12px; display: flex; justify-content: center; align-items: center; gap: 14px;
  font-size: 0.875rem; color: var(--soft);
}
.foot button { min-height: 36px; padding: 4px 14px; font-size: 0.875rem; color: var(--soft); }
.waiting { position: absolute; inset: 0; display: grid; place-items: center; color: var(--soft); }
@media (hover: none) {
  .keys { display: none; }
}
@media (prefers-reduced-motion: reduce) {
  .dot::before { transition: none; }
}
@media (max-width: 480px) {
  .card { padding: 22px; }
  .buttons button { flex: 1 1 auto; }
}
`;
