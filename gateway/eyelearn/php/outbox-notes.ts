import { randomInt } from 'node:crypto';
import type { StudentNotes } from '../../delivery/second-way.ts';
import type { PhpAccount } from './delta.ts';
import { KEEP_POSTS_MS, type PhpOutbox, type PhpTime, type RememberedPost } from './outbox.ts';

/** Ids of posts are drawn from so many: two gateways do not ask each other for a number. */
const POST_IDS = 2 ** 47;

type StoredAccount = Omit<PhpAccount, 'openFocusedS' | 'openUnfocusedS'>;

/** What is noted of one student. */
interface PhpNote {
  readonly accounts: readonly StoredAccount[];
  readonly posts: readonly RememberedPost[];
}

const EMPTY: PhpNote = { accounts: [], posts: [] };

const isOf = (account: StoredAccount, time: Pick<PhpTime, 'moduleId' | 'sectionKey'>): boolean =>
  account.moduleId === time.moduleId && account.sectionKey === time.sectionKey;

const isPostOf = (post: RememberedPost, account: StoredAccount): boolean => isOf(account, post);

function withOpen(account: StoredAccount, posts: readonly RememberedPost[]): PhpAccount {
  const open = posts.filter((post) => post.status !== 'stored' && isPostOf(post, account));
  return {
    ...account,
    openFocusedS: open.reduce((sum, { focusedS }) => sum + focusedS, 0),
    openUnfocusedS: open.reduce((sum, { unfocusedS }) => sum + unfocusedS, 0),
  };
}

/**
 * The outbox as notes that all gateways share, of the students whose windows this gateway delivers. Time is taken from an account and
 * noted as a post by one compared write, so of two gateways that hold the same student for theirs one alone can post.
 */
export function notesOutbox(notes: StudentNotes): PhpOutbox {
  /** Posts of this process that are under way. */
  const underWay = new Set<number>();

  function noteOf(userId: number): PhpNote {
    const { accounts, posts } = (notes.get(userId) as PhpNote | null) ?? EMPTY;
    // One that another gateway has begun: it is not known what became of it.
    const seen = (post: RememberedPost): RememberedPost =>
      post.status === 'in_flight' && !underWay.has(post.id) ? { ...post, status: 'uncertain' } : post;
    return { accounts, posts: posts.map(seen) };
  }

  const all = () => [...notes.all()].map(([userId]) => noteOf(userId));

  function set(userId: number, note: PhpNote): void {
    notes.set(userId, note.accounts.length + note.posts.length === 0 ? null : note);
  }

  function changeAccount(
    { userId, moduleId, sectionKey }: Pick<PhpAccount, 'userId' | 'moduleId' | 'sectionKey'>,
    next: (before: StoredAccount | null) => StoredAccount | null,
  ): void {
    const note = noteOf(userId);
    const found = note.accounts.find((account) => isOf(account, { moduleId, sectionKey })) ?? null;
    const changed = next(found);
    const others = note.accounts.filter((account) => account !== found);
    set(userId, { ...note, accounts: changed === null ? others : [...others, changed] });
  }

  return {
    accounts: async () => all().flatMap(({ accounts, posts }) => accounts.map((account) => withOpen(account, posts))),
    async lockPosts(places, isLocked) {
      for (const { userId, moduleId } of places) {
        const note = noteOf(userId);
        const accounts = note.accounts.map((account) =>
          account.moduleId === moduleId ? { ...account, isLocked } : account,
        );
        set(userId, { ...note, accounts });
      }
      await notes.commit(new Set(places.map(({ userId }) => userId)));
    },
    async begin({ userId, moduleId, sectionKey }, { focusedS, unfocusedS }, postedAtMs) {
      const note = noteOf(userId);
      if (!note.accounts.some((account) => isOf(account, { moduleId, sectionKey }))) return null;
      const id = randomInt(1, POST_IDS);
      const post = { id, userId, moduleId, sectionKey, focusedS, unfocusedS, postedAtMs, status: 'in_flight' as const };
      underWay.add(id);
      const known = note.posts.filter((other) => !isOld(other, postedAtMs));
      set(userId, { ...note, posts: [...known, post] });
      try {
        await notes.commit([userId]);
      } catch (error) {
        underWay.delete(id);
        throw error;
      }
      return id;
    },
    async end(id, kind, nowMs) {
      underWay.delete(id);
      const note = all().find(({ posts }) => posts.some((post) => post.id === id));
      const post = note?.posts.find((each) => each.id === id);
      if (note === undefined || post === undefined) return;
      const posts =
        kind === 'refused'
          ? note.posts.filter((other) => other !== post)
          : note.posts.map((other) => (other === post ? { ...post, status: kind } : other));
      set(post.userId, { ...note, posts });
      if (kind === 'stored') {
        changeAccount(post, (account) =>
          account === null
            ? null
            : {
                ...account,
                sentFocusedMs: account.sentFocusedMs + 1000 * post.focusedS,
                sentUnfocusedMs: account.sentUnfocusedMs + 1000 * post.unfocusedS,
                sinceMs: nowMs,
                isUrgent: false,
              },
        );
      }
      await notes.commit([post.userId]);
    },
    // Notes of another run are read when a part is taken.
    recover: async () => 0,
    postsOf: async (userId, moduleId) => noteOf(userId).posts.filter((post) => post.moduleId === moduleId),
    openPosts: async () => all().flatMap(({ posts }) => posts.filter(({ status }) => status !== 'stored')),
    async modulesOf(userId) {
      const { accounts, posts } = noteOf(userId);
      return [...new Set([...accounts, ...posts].map(({ moduleId }) => moduleId))];
    },
    forgetStudent: (userId) => notes.forget(userId),
    // They leave with the student's next post.
    forgetOld: async () => undefined,
    add({ userId, moduleId, sectionKey, focusedMs, unfocusedMs, atMs, isFinal }) {
      const fresh = {
        userId,
        moduleId,
        sectionKey,
        focusedMs: 0,
        unfocusedMs: 0,
        sentFocusedMs: 0,
        sentUnfocusedMs: 0,
        sinceMs: atMs,
        isUrgent: false,
        isLocked: false,
      };
      changeAccount({ userId, moduleId, sectionKey }, (before) => {
        const account = before ?? fresh;
        const unsentMs = account.focusedMs + account.unfocusedMs - account.sentFocusedMs - account.sentUnfocusedMs;
        return {
          ...account,
          focusedMs: account.focusedMs + focusedMs,
          unfocusedMs: account.unfocusedMs + unfocusedMs,
          sinceMs: unsentMs < 1000 ? atMs : account.sinceMs,
          isUrgent: account.isUrgent || isFinal,
        };
      });
    },
    remove({ userId, moduleId, sectionKey, focusedMs, unfocusedMs, sentFocusedMs, sentUnfocusedMs }) {
      changeAccount({ userId, moduleId, sectionKey }, (account) => {
        if (account === null) return null;
        const left = {
          ...account,
          focusedMs: account.focusedMs - focusedMs,
          unfocusedMs: account.unfocusedMs - unfocusedMs,
          sentFocusedMs: account.sentFocusedMs - sentFocusedMs,
          sentUnfocusedMs: account.sentUnfocusedMs - sentUnfocusedMs,
        };
        const isEmpty =
          left.focusedMs === 0 && left.unfocusedMs === 0 && left.sentFocusedMs === 0 && left.sentUnfocusedMs === 0;
        return isEmpty ? null : left;
      });
    },
  };
}

function isOld({ status, postedAtMs }: RememberedPost, nowMs: number): boolean {
  return status === 'stored' && postedAtMs < nowMs - KEEP_POSTS_MS;
}
