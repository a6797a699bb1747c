import { type Connection, numberOf, textOf, transaction } from '../../lib/sqlite-file.ts';
import type { PhpAccount } from './delta.ts';
import { KEEP_POSTS_MS, type PhpOutbox, type RememberedPost } from './outbox.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS php_accounts (
    user_id INTEGER NOT NULL,
    module_id INTEGER NOT NULL,
    section_key INTEGER NOT NULL,
    focused_ms INTEGER NOT NULL,
    unfocused_ms INTEGER NOT NULL,
    sent_focused_ms INTEGER NOT NULL DEFAULT 0,
    sent_unfocused_ms INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER NOT NULL,
    is_urgent INTEGER NOT NULL DEFAULT 0,
    is_held INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, module_id, section_key)
  );
  CREATE TABLE IF NOT EXISTS php_posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    module_id INTEGER NOT NULL,
    section_key INTEGER NOT NULL,
    focused_s INTEGER NOT NULL,
    unfocused_s INTEGER NOT NULL,
    posted_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('in_flight', 'uncertain', 'stored'))
  );
  CREATE INDEX IF NOT EXISTS php_posts_place ON php_posts (user_id, module_id, status);
`;

function postOf(row: unknown): RememberedPost {
  return {
    id: numberOf(row, 'id'),
    userId: numberOf(row, 'user_id'),
    moduleId: numberOf(row, 'module_id'),
    sectionKey: numberOf(row, 'section_key'),
    focusedS: numberOf(row, 'focused_s'),
    unfocusedS: numberOf(row, 'unfocused_s'),
    postedAtMs: numberOf(row, 'posted_at_ms'),
    status: textOf(row, 'status') as RememberedPost['status'],
  };
}

function accountOf(row: unknown): PhpAccount {
  return {
    userId: numberOf(row, 'user_id'),
    moduleId: numberOf(row, 'module_id'),
    sectionKey: numberOf(row, 'section_key'),
    focusedMs: numberOf(row, 'focused_ms'),
    unfocusedMs: numberOf(row, 'unfocused_ms'),
    sentFocusedMs: numberOf(row, 'sent_focused_ms'),
    sentUnfocusedMs: numberOf(row, 'sent_unfocused_ms'),
    openFocusedS: numberOf(row, 'open_focused_s'),
    openUnfocusedS: numberOf(row, 'open_unfocused_s'),
    sinceMs: numberOf(row, 'since_ms'),
    isUrgent: numberOf(row, 'is_urgent') === 1,
    isLocked: numberOf(row, 'is_held') === 1,
  };
}

/** The outbox as tables of the queue's file, which are made where they are missing. */
export async function openFileOutbox(connection: Connection): Promise<PhpOutbox> {
  await connection.exec(SCHEMA);
  const place = 'user_id = ? AND module_id = ? AND section_key = ?';
  const addTime = await connection.prepare(
    `INSERT INTO php_accounts (user_id, module_id, section_key, focused_ms, unfocused_ms, since_ms, is_urgent)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, module_id, section_key) DO UPDATE SET
       focused_ms = focused_ms + excluded.focused_ms, unfocused_ms = unfocused_ms + excluded.unfocused_ms,
       since_ms = CASE WHEN focused_ms + unfocused_ms - sent_focused_ms - sent_unfocused_ms < 1000 THEN excluded.since_ms ELSE since_ms END,
       is_urgent = max(is_urgent, excluded.is_urgent)`,
  );
  const removeTime = await connection.prepare(
    `UPDATE php_accounts SET focused_ms = focused_ms - ?, unfocused_ms = unfocused_ms - ?,
       sent_focused_ms = sent_focused_ms - ?, sent_unfocused_ms = sent_unfocused_ms - ? WHERE ${place}`,
  );
  const removeEmpty = await connection.prepare(
    `DELETE FROM php_accounts WHERE ${place} AND focused_ms = 0 AND unfocused_ms = 0 AND sent_focused_ms = 0 AND sent_unfocused_ms = 0`,
  );
  const selectAccounts = await connection.prepare(
    `SELECT a.*, COALESCE(SUM(p.focused_s), 0) AS open_focused_s, COALESCE(SUM(p.unfocused_s), 0) AS open_unfocused_s
     FROM php_accounts a LEFT JOIN php_posts p ON p.user_id = a.user_id AND p.module_id = a.module_id
       AND p.section_key = a.section_key AND p.status IN ('in_flight', 'uncertain')
     GROUP BY a.user_id, a.module_id, a.section_key`,
  );
  const selectAccount = await connection.prepare(`SELECT 1 FROM php_accounts WHERE ${place}`);
  const setLocked = await connection.prepare('UPDATE php_accounts SET is_held = ? WHERE user_id = ? AND module_id = ?');
  const insertPost = await connection.prepare(
    `INSERT INTO php_posts (user_id, module_id, section_key, focused_s, unfocused_s, posted_at_ms, status)
     VALUES (?, ?, ?, ?, ?, ?, 'in_flight')`,
  );
  const newestPost = await connection.prepare('SELECT max(id) AS id FROM php_posts');
  const deletePost = await connection.prepare('DELETE FROM php_posts WHERE id = ?');
  const setStatus = await connection.prepare('UPDATE php_posts SET status = ? WHERE id = ?');
  const countSent = await connection.prepare(
    `UPDATE php_accounts SET
       sent_focused_ms = sent_focused_ms + 1000 * (SELECT focused_s FROM php_posts WHERE id = ?1),
       sent_unfocused_ms = sent_unfocused_ms + 1000 * (SELECT unfocused_s FROM php_posts WHERE id = ?1),
       since_ms = ?2, is_urgent = 0
     WHERE (user_id, module_id, section_key) = (SELECT user_id, module_id, section_key FROM php_posts WHERE id = ?1)`,
  );
  const selectPosts = await connection.prepare(
    'SELECT * FROM php_posts WHERE user_id = ? AND module_id = ? ORDER BY id',
  );
  const selectOpen = await connection.prepare("SELECT * FROM php_posts WHERE status <> 'stored'");
  const countStatus = await connection.prepare('SELECT COUNT(*) AS n FROM php_posts WHERE status = ?');
  const recoverPosts = await connection.prepare("UPDATE php_posts SET status = 'uncertain' WHERE status = 'in_flight'");
  const selectModules = await connection.prepare(
    'SELECT module_id FROM php_accounts WHERE user_id = ?1 UNION SELECT module_id FROM php_posts WHERE user_id = ?1',
  );
  const deleteAccounts = await connection.prepare('DELETE FROM php_accounts WHERE user_id = ?');
  const deletePosts = await connection.prepare('DELETE FROM php_posts WHERE user_id = ?');
  const forget = await connection.prepare("DELETE FROM php_posts WHERE status = 'stored' AND posted_at_ms < ?");

  return {
    add({ userId, moduleId, sectionKey, focusedMs, unfocusedMs, atMs, isFinal }) {
      addTime.run([userId, moduleId, sectionKey, focusedMs, unfocusedMs, atMs, isFinal ? 1 : 0]);
    },
    remove({ userId, moduleId, sectionKey, focusedMs, unfocusedMs, sentFocusedMs, sentUnfocusedMs }) {
      removeTime.run([focusedMs, unfocusedMs, sentFocusedMs, sentUnfocusedMs, userId, moduleId, sectionKey]);
      removeEmpty.run([userId, moduleId, sectionKey]);
    },
    lockPosts: (places, isLocked) =>
      transaction(connection, () => {
        for (const { userId, moduleId } of places) setLocked.run([isLocked ? 1 : 0, userId, moduleId]);
      }),
    accounts: async () => (await selectAccounts.all([])).map(accountOf),
    async begin(account, { focusedS, unfocusedS }, postedAtMs) {
      const { userId, moduleId, sectionKey } = account;
      if ((await selectAccount.all([userId, moduleId, sectionKey])).length === 0) return null;
      await transaction(connection, () => {
        insertPost.run([userId, moduleId, sectionKey, focusedS, unfocusedS, postedAtMs]);
      });
      const [row] = await newestPost.all([]);
      return numberOf(row, 'id');
    },
    async end(id, kind, nowMs) {
      await transaction(connection, () => {
        if (kind === 'refused') deletePost.run([id]);
        else setStatus.run([kind, id]);
        if (kind === 'stored') countSent.run([id, nowMs]);
      });
    },
    async recover() {
      const [row] = await countStatus.all(['in_flight']);
      await transaction(connection, () => void recoverPosts.run([]));
      return numberOf(row, 'n');
    },
    postsOf: async (userId, moduleId) => (await selectPosts.all([userId, moduleId])).map(postOf),
    openPosts: async () => (await selectOpen.all([])).map(postOf),
    async modulesOf(userId) {
      return (await selectModules.all([userId])).map((row) => numberOf(row, 'module_id'));
    },
    forgetStudent: (userId) =>
      transaction(connection, () => {
        deleteAccounts.run([userId]);
        deletePosts.run([userId]);
      }),
    forgetOld: (nowMs) => transaction(connection, () => void forget.run([nowMs - KEEP_POSTS_MS])),
  };
}
