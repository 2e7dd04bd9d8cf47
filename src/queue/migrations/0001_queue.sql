-- Times are whole milliseconds since 1970 (UTC). Keys and persons are keyed hashes: see keys.rs.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('change', 0);

-- Posts that name a provider, kept for the retention time. `body` is the post as JSON.
CREATE TABLE posts (
    id           INTEGER PRIMARY KEY,
    key          BLOB NOT NULL UNIQUE,
    author       BLOB,
    person       BLOB,
    conversation BLOB NOT NULL,
    network      TEXT NOT NULL,
    source       TEXT NOT NULL,
    body         TEXT NOT NULL,
    text         TEXT GENERATED ALWAYS AS (json_extract(body, '$.text')) VIRTUAL,
    seen_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX posts_author ON posts (author);
CREATE INDEX posts_person ON posts (person);
CREATE INDEX posts_seen ON posts (seen_at);

CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'posts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER posts_words_add AFTER INSERT ON posts BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER posts_words_drop AFTER DELETE ON posts BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER posts_words_edit AFTER UPDATE OF body ON posts BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;

-- What a post means for us with one provider. `listed` rows are the watch list.
CREATE TABLE findings (
    id            INTEGER PRIMARY KEY,
    post          INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL,
    is_home       INTEGER NOT NULL,
    verdict       TEXT NOT NULL,
    hold          TEXT,
    hold_start    INTEGER,
    hold_end      INTEGER,
    assessment    TEXT NOT NULL,
    drafts        TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    judged_at     INTEGER NOT NULL,
    listed        INTEGER NOT NULL,
    UNIQUE (post, provider)
) STRICT;
CREATE INDEX findings_listed ON findings (id) WHERE listed = 1;

CREATE TABLE leads (
    id            INTEGER PRIMARY KEY,
    key           BLOB NOT NULL UNIQUE,
    post          INTEGER REFERENCES posts (id) ON DELETE SET NULL,
    author        BLOB,
    person        BLOB,
    conversation  BLOB NOT NULL,
    network       TEXT NOT NULL,
    provider      TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('rival', 'care')),
    state         TEXT NOT NULL CHECK (state IN ('new', 'snoozed', 'approved', 'sending', 'sent', 'handed_off', 'failed',
                                                 'unknown', 'dismissed', 'expired', 'withdrawn', 'removed')),
    version       INTEGER NOT NULL DEFAULT 1,
    change        INTEGER NOT NULL,
    stance        TEXT NOT NULL,
    toward        TEXT,
    intent        REAL NOT NULL,
    score         REAL NOT NULL,
    rank          INTEGER NOT NULL,
    rules_version TEXT NOT NULL,
    offer         TEXT,
    text          TEXT,
    edited_by     TEXT,
    reason        TEXT,
    receipt       TEXT,
    assignee      TEXT,
    claimed_by    TEXT,
    claimed_until INTEGER,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    snoozed_until INTEGER,
    undo_until    INTEGER,
    changed_at    INTEGER NOT NULL,
    changed_by    TEXT NOT NULL,
    decided_at    INTEGER
) STRICT;
CREATE INDEX leads_newest ON leads (state, id);
CREATE INDEX leads_rank ON leads (state, rank, id);
CREATE INDEX leads_expiring ON leads (state, expires_at, id);
CREATE INDEX leads_provider ON leads (provider, state, id);
CREATE INDEX leads_post ON leads (post);
CREATE INDEX leads_author ON leads (author);
CREATE INDEX leads_person ON leads (person);
CREATE INDEX leads_conversation ON leads (conversation, state);
CREATE INDEX leads_change ON leads (change);
CREATE INDEX leads_snoozed ON leads (snoozed_until) WHERE state = 'snoozed';
CREATE INDEX leads_held ON leads (undo_until) WHERE state = 'approved';

-- How many leads are in each state, kept by triggers so that the list page need not count.
CREATE TABLE lead_counts (
    state TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER leads_count_add AFTER INSERT ON leads BEGIN
    INSERT INTO lead_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER leads_count_move AFTER UPDATE OF state ON leads WHEN old.state <> new.state BEGIN
    UPDATE lead_counts SET count = count - 1 WHERE state = old.state;
    INSERT INTO lead_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER leads_count_drop AFTER DELETE ON leads BEGIN
    UPDATE lead_counts SET count = count - 1 WHERE state = old.state;
END;

-- Who has approved which words, where policy asks for more than one.
CREATE TABLE approvals (
    lead      INTEGER NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    operator  TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (lead, operator)
) STRICT, WITHOUT ROWID;

-- One row per try to send; at most one of a lead is open or successful.
CREATE TABLE attempts (
    id         INTEGER PRIMARY KEY,
    lead       INTEGER NOT NULL REFERENCES leads (id),
    key        BLOB NOT NULL,
    network    TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT,
    detail     TEXT
) STRICT;
CREATE UNIQUE INDEX attempts_once ON attempts (lead) WHERE outcome IS NULL OR outcome IN ('sent', 'unknown');
CREATE INDEX attempts_recent ON attempts (network, started_at);

CREATE TABLE notes (
    id   INTEGER PRIMARY KEY,
    lead INTEGER NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    who  TEXT NOT NULL,
    at   INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX notes_lead ON notes (lead);

-- Whom we spoke to; who asked never to be spoken to; which posts are gone and must not come back.
CREATE TABLE contacts (
    person BLOB NOT NULL,
    lead   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (person, lead)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_lead ON contacts (lead);
CREATE TABLE opt_outs (
    person BLOB PRIMARY KEY,
    at     INTEGER NOT NULL,
    why    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE gone (
    key BLOB PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
    source   TEXT PRIMARY KEY,
    text     TEXT NOT NULL,
    position INTEGER NOT NULL,
    moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE health (
    source TEXT PRIMARY KEY,
    body   TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Hourly counters, and the rules ledger: how often each rule hit and what came of it.
CREATE TABLE counters (
    hour_at INTEGER NOT NULL,
    name    TEXT NOT NULL,
    subject TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (hour_at, name, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    kind  TEXT NOT NULL CHECK (kind IN ('signal', 'hold', 'offer')),
    rule  TEXT NOT NULL,
    event TEXT NOT NULL,
    day   TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, rule, event, day)
) STRICT, WITHOUT ROWID;

-- Append-only; each row's hash covers the row before it.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    lead   INTEGER,
    detail TEXT NOT NULL,
    hash   BLOB NOT NULL
) STRICT;
CREATE INDEX audit_lead ON audit (lead) WHERE lead IS NOT NULL;
CREATE TRIGGER audit_keeps_its_words BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_keeps_its_rows BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

CREATE TABLE operators (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'author', 'approver', 'lead', 'admin')),
    password_hash TEXT,
    totp_secret   BLOB,
    settings      TEXT NOT NULL DEFAULT '{}',
    active        INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    operator   INTEGER NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
    agent      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_operator ON sessions (operator);
CREATE TABLE links (
    token_hash BLOB PRIMARY KEY,
    purpose    TEXT NOT NULL CHECK (purpose IN ('invite', 'sign_in')),
    operator   INTEGER REFERENCES operators (id) ON DELETE CASCADE,
    role       TEXT,
    made_by    TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE views (
    id    INTEGER PRIMARY KEY,
    owner INTEGER REFERENCES operators (id) ON DELETE CASCADE,
    name  TEXT NOT NULL,
    query TEXT NOT NULL
) STRICT;
CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
