const CONTROLS = 'a[href],button,input,select,textarea,summary,[role=button],[role=link],[onclick],video,iframe';
/** Distance of the points that are tried from the edges of a place, px. */
const INSET_PX = 4;

/** A place on the window, px from its left and upper edge. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** True where scrolling on brings the element out from under what lies over it. */
function canScrollAway(element: Element): boolean {
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const { position, overflowY } = getComputedStyle(at);
    if (position === 'fixed' || position === 'sticky') return false;
    const isScroller = at === document.scrollingElement || overflowY === 'auto' || overflowY === 'scroll';
    if (isScroller && at.scrollTop + at.clientHeight < at.scrollHeight - 1) return true;
  }
  return false;
}

/**
 * True when a place lies over a control of the page that the student could not reach otherwise: a footer that stays, the end of
 * a part that scrolls by itself.
 * @param own The element that is to lie there, wherever it is now.
 */
export function coversControl(own: Element, { left, top, width, height }: Place): boolean {
  const across = [left + INSET_PX, left + width / 2, left + width - INSET_PX];
  const down = [top + INSET_PX, top + height / 2, top + height - INSET_PX];
  return across.some((x) =>
    down.some((y) => {
      const below = document.elementsFromPoint(x, y).find((element) => element !== own);
      const control = below?.closest(CONTROLS) ?? null;
      return control !== null && !canScrollAway(control);
    }),
  );
}
