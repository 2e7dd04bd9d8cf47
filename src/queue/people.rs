//! Operators, their sessions, one-time links, integrations' tokens and saved views; plain storage, the desk decides.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit::SYSTEM;
use super::{Durability, Queue, QueueError, Writing, at, ms};

/// The number of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorId(pub i64);

/// What an operator may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Edits drafts, cannot approve.
    Author,
    /// Approves.
    Approver,
    /// Rules, take-over, bulk, the register of people never to contact.
    Lead,
    /// Operators, keys, retention, erasing.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Author, Self::Approver, Self::Lead, Self::Admin];

    /// The lower-case word used in JSON and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person at the desk.
#[derive(Clone, PartialEq)]
pub struct Operator {
    /// Their number.
    pub id: OperatorId,
    /// The name they sign in with and the audit shows.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of their password, as the desk made it.
    pub password_hash: Option<String>,
    /// The secret of their second factor.
    pub totp_secret: Option<Vec<u8>>,
    /// What they set for themselves: any JSON the desk likes.
    pub settings: Value,
    /// Whether they may sign in.
    pub active: bool,
    /// Since when.
    pub created_at: Timestamp,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A browser that signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number, to end it by.
    pub id: i64,
    /// Whose.
    pub operator: OperatorId,
    /// What the browser calls itself.
    pub agent: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it last asked for something.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// What a one-time link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Makes a new operator of this role.
    Invite(Role),
    /// Signs in this operator.
    SignIn(OperatorId),
}

/// A one-time link; only the hash of its token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Who made it.
    pub made_by: String,
    /// When it is too late.
    pub expires_at: Timestamp,
}

/// A token of an integration; only its hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// What it is for, in people's words.
    pub name: String,
    /// What it may do, separated by blanks.
    pub scopes: String,
    /// Who made it.
    pub made_by: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A saved view: a name for a filter's query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its number.
    pub id: i64,
    /// Whose; none is everybody's.
    pub owner: Option<OperatorId>,
    /// What people call it.
    pub name: String,
    /// The query string.
    pub query: String,
}

impl Queue {
    /// Adds an operator.
    ///
    /// # Errors
    /// The name is taken or reserved, or the database fails.
    pub fn add_operator(&mut self, name: &str, role: Role, by: &str, now: Timestamp) -> Result<OperatorId, QueueError> {
        if name.eq_ignore_ascii_case(SYSTEM) || name.trim().is_empty() {
            return Err(QueueError::Unusable(format!("\"{name}\" cannot be an operator's name.")));
        }
        self.write(Durability::Power, |w| {
            let sql = "INSERT INTO operators (name, role, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            if w.tx.execute(sql, params![name, role.as_str(), ms(now)])? == 0 {
                return Err(QueueError::Unusable(format!("there is an operator called \"{name}\" already.")));
            }
            let id = OperatorId(w.tx.last_insert_rowid());
            w.audit(now, by, "add_operator", None, &json!({ "operator": name, "role": role }))?;
            Ok(id)
        })
    }

    /// One operator.
    ///
    /// # Errors
    /// The database fails.
    pub fn operator(&self, id: OperatorId) -> Result<Option<Operator>, QueueError> {
        let sql = "SELECT * FROM operators WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([id.0], operator).optional()?)
    }

    /// The operator of that name, whatever its case.
    ///
    /// # Errors
    /// The database fails.
    pub fn operator_named(&self, name: &str) -> Result<Option<Operator>, QueueError> {
        let sql = "SELECT * FROM operators WHERE name = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([name], operator).optional()?)
    }

    /// All operators by name.
    ///
    /// # Errors
    /// The database fails.
    pub fn operators(&self) -> Result<Vec<Operator>, QueueError> {
        let mut statement = self.connection.prepare_cached("SELECT * FROM operators ORDER BY name")?;
        let rows = statement.query_map([], operator)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Gives an operator a role. The last admin stays one.
    ///
    /// # Errors
    /// Nobody would be admin any more, or the database fails.
    pub fn set_role(&mut self, id: OperatorId, role: Role, by: &str, now: Timestamp) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("UPDATE operators SET role = ?1 WHERE id = ?2", params![role.as_str(), id.0])?;
            w.audit(now, by, "set_role", None, &json!({ "operator": id, "role": role }))?;
            w.somebody_is_admin()
        })
    }

    /// Lets an operator sign in, or ends all their sessions at once. The last admin stays.
    ///
    /// # Errors
    /// Nobody would be admin any more, or the database fails.
    pub fn set_active(&mut self, id: OperatorId, active: bool, by: &str, now: Timestamp) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("UPDATE operators SET active = ?1 WHERE id = ?2", params![active, id.0])?;
            if !active {
                w.tx.execute("DELETE FROM sessions WHERE operator = ?1", [id.0])?;
            }
            w.audit(now, by, if active { "activate" } else { "deactivate" }, None, &json!({ "operator": id }))?;
            w.somebody_is_admin()
        })
    }

    /// Sets or removes an operator's password and ends their sessions.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_password_hash(
        &mut self,
        id: OperatorId,
        hash: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("UPDATE operators SET password_hash = ?1 WHERE id = ?2", params![hash, id.0])?;
            w.tx.execute("DELETE FROM sessions WHERE operator = ?1", [id.0])?;
            Ok(w.audit(now, by, "set_password", None, &json!({ "operator": id }))?)
        })
    }

    /// Sets or removes an operator's second factor.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_totp_secret(
        &mut self,
        id: OperatorId,
        secret: Option<&[u8]>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("UPDATE operators SET totp_secret = ?1 WHERE id = ?2", params![secret, id.0])?;
            Ok(w.audit(now, by, "set_second_factor", None, &json!({ "operator": id, "set": secret.is_some() }))?)
        })
    }

    /// Keeps what an operator set for themselves.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_settings(&mut self, id: OperatorId, settings: &Value) -> Result<(), QueueError> {
        let sql = "UPDATE operators SET settings = ?1 WHERE id = ?2";
        self.write(Durability::Process, |w| Ok(w.tx.execute(sql, params![settings.to_string(), id.0]).map(|_| ())?))
    }

    /// Begins a session; the token itself is never stored.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_session(
        &mut self,
        token_hash: &[u8],
        operator: OperatorId,
        agent: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<i64, QueueError> {
        let sql = "INSERT INTO sessions (token_hash, operator, agent, created_at, seen_at, expires_at)
                   VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
        self.write(Durability::Power, |w| {
            w.tx.execute(sql, params![token_hash, operator.0, agent, ms(now), ms(expires_at)])?;
            let id = w.tx.last_insert_rowid();
            w.audit(now, SYSTEM, "sign_in", None, &json!({ "operator": operator, "session": id }))?;
            Ok(id)
        })
    }

    /// The session of a token, and its operator; none when it is over or the operator may not sign in.
    ///
    /// # Errors
    /// The database fails.
    pub fn session(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<(Session, Operator)>, QueueError> {
        let sql = "SELECT * FROM sessions WHERE token_hash = ?1 AND expires_at > ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let Some(session) = statement.query_row(params![token_hash, ms(now)], session).optional()? else {
            return Ok(None);
        };
        let operator = self.operator(session.operator)?.filter(|o| o.active);
        Ok(operator.map(|operator| (session, operator)))
    }

    /// Notes that a session asked for something; call it at most once a minute.
    ///
    /// # Errors
    /// The database fails.
    pub fn touch_session(&mut self, id: i64, now: Timestamp) -> Result<(), QueueError> {
        let sql = "UPDATE sessions SET seen_at = ?1 WHERE id = ?2";
        self.write(Durability::Process, |w| Ok(w.tx.execute(sql, [ms(now), id]).map(|_| ())?))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database fails.
    pub fn end_session(&mut self, id: i64, by: &str, now: Timestamp) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
            Ok(w.audit(now, by, "end_session", None, &json!({ "session": id }))?)
        })
    }

    /// The sessions of an operator, latest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn sessions(&self, operator: OperatorId) -> Result<Vec<Session>, QueueError> {
        let sql = "SELECT * FROM sessions WHERE operator = ?1 ORDER BY seen_at DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([operator.0], session)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Stores a one-time link.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_link(&mut self, token_hash: &[u8], link: &Link) -> Result<(), QueueError> {
        let (purpose, operator, role) = match &link.purpose {
            LinkPurpose::Invite(role) => ("invite", None, Some(role.as_str())),
            LinkPurpose::SignIn(id) => ("sign_in", Some(id.0), None),
        };
        let sql = "INSERT INTO links VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)";
        self.write(Durability::Power, |w| {
            w.tx.execute(sql, params![token_hash, purpose, operator, role, link.made_by, ms(link.expires_at)])?;
            Ok(())
        })
    }

    /// Uses up a one-time link: it works once, in time.
    ///
    /// # Errors
    /// The database fails.
    pub fn use_link(&mut self, token_hash: &[u8], now: Timestamp) -> Result<Option<Link>, QueueError> {
        let sql =
            "UPDATE links SET used_at = ?1 WHERE token_hash = ?2 AND used_at IS NULL AND expires_at > ?1 RETURNING *";
        self.write(Durability::Power, |w| {
            Ok(w.tx.prepare_cached(sql)?.query_row(params![ms(now), token_hash], link).optional()?.flatten())
        })
    }

    /// A one-time link that could still be used, left unused: for the page that asks before it acts.
    ///
    /// # Errors
    /// The database fails.
    pub fn link(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<Link>, QueueError> {
        let sql = "SELECT * FROM links WHERE token_hash = ?1 AND used_at IS NULL AND expires_at > ?2";
        Ok(self.connection.prepare_cached(sql)?.query_row(params![token_hash, ms(now)], link).optional()?.flatten())
    }

    /// Stores an integration's token.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_token(
        &mut self,
        token_hash: &[u8],
        name: &str,
        scopes: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<i64, QueueError> {
        let sql = "INSERT INTO tokens (token_hash, name, scopes, made_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(Durability::Power, |w| {
            w.tx.execute(sql, params![token_hash, name, scopes, by, ms(now)])?;
            let id = w.tx.last_insert_rowid();
            w.audit(now, by, "add_token", None, &json!({ "token": id, "scopes": scopes }))?;
            Ok(id)
        })
    }

    /// The token of that hash, unless it was taken back.
    ///
    /// # Errors
    /// The database fails.
    pub fn token(&self, token_hash: &[u8]) -> Result<Option<Token>, QueueError> {
        let sql = "SELECT * FROM tokens WHERE token_hash = ?1 AND revoked_at IS NULL";
        Ok(self.connection.prepare_cached(sql)?.query_row([token_hash], token).optional()?)
    }

    /// All tokens, also those taken back.
    ///
    /// # Errors
    /// The database fails.
    pub fn tokens(&self) -> Result<Vec<Token>, QueueError> {
        let mut statement = self.connection.prepare_cached("SELECT * FROM tokens ORDER BY id")?;
        let rows = statement.query_map([], token)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// The database fails.
    pub fn revoke_token(&mut self, id: i64, by: &str, now: Timestamp) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("UPDATE tokens SET revoked_at = ?1 WHERE id = ?2 AND revoked_at IS NULL", [ms(now), id])?;
            Ok(w.audit(now, by, "revoke_token", None, &json!({ "token": id }))?)
        })
    }

    /// Saves a view.
    ///
    /// # Errors
    /// The database fails.
    pub fn add_view(&mut self, owner: Option<OperatorId>, name: &str, query: &str) -> Result<i64, QueueError> {
        let sql = "INSERT INTO views (owner, name, query) VALUES (?1, ?2, ?3)";
        self.write(Durability::Process, |w| {
            w.tx.execute(sql, params![owner.map(|o| o.0), name, query])?;
            Ok(w.tx.last_insert_rowid())
        })
    }

    /// The views an operator sees: their own and everybody's.
    ///
    /// # Errors
    /// The database fails.
    pub fn views(&self, operator: OperatorId) -> Result<Vec<View>, QueueError> {
        let sql = "SELECT id, owner, name, query FROM views WHERE owner = ?1 OR owner IS NULL ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([operator.0], |r| {
            let owner = r.get::<_, Option<i64>>(1)?.map(OperatorId);
            Ok(View { id: r.get(0)?, owner, name: r.get(2)?, query: r.get(3)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Drops a view.
    ///
    /// # Errors
    /// The database fails.
    pub fn drop_view(&mut self, id: i64) -> Result<(), QueueError> {
        self.write(Durability::Process, |w| Ok(w.tx.execute("DELETE FROM views WHERE id = ?1", [id]).map(|_| ())?))
    }
}

impl Writing<'_> {
    fn somebody_is_admin(&self) -> Result<(), QueueError> {
        let sql = "SELECT 1 FROM operators WHERE role = 'admin' AND active = 1";
        if self.tx.prepare(sql)?.exists([])? {
            return Ok(());
        }
        Err(QueueError::Unusable("the last admin must stay. Make somebody else admin first.".to_owned()))
    }
}

fn operator(row: &Row<'_>) -> rusqlite::Result<Operator> {
    let settings: String = row.get("settings")?;
    Ok(Operator {
        id: OperatorId(row.get("id")?),
        name: row.get("name")?,
        role: Role::from_name(&row.get::<_, String>("role")?).unwrap_or(Role::Viewer),
        password_hash: row.get("password_hash")?,
        totp_secret: row.get("totp_secret")?,
        settings: serde_json::from_str(&settings).unwrap_or_default(),
        active: row.get("active")?,
        created_at: at(row.get("created_at")?),
    })
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get("id")?,
        operator: OperatorId(row.get("operator")?),
        agent: row.get("agent")?,
        created_at: at(row.get("created_at")?),
        seen_at: at(row.get("seen_at")?),
        expires_at: at(row.get("expires_at")?),
    })
}

fn link(row: &Row<'_>) -> rusqlite::Result<Option<Link>> {
    let role = row.get::<_, Option<String>>("role")?.as_deref().and_then(Role::from_name).map(LinkPurpose::Invite);
    let operator = row.get::<_, Option<i64>>("operator")?.map(|id| LinkPurpose::SignIn(OperatorId(id)));
    let Some(purpose) = role.or(operator) else { return Ok(None) };
    Ok(Some(Link { purpose, made_by: row.get("made_by")?, expires_at: at(row.get("expires_at")?) }))
}

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: row.get("id")?,
        name: row.get("name")?,
        scopes: row.get("scopes")?,
        made_by: row.get("made_by")?,
        created_at: at(row.get("created_at")?),
        revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(at),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn with_admin() -> (Queue, OperatorId) {
        let mut queue = Queue::in_memory().unwrap();
        let id = queue.add_operator("Ana", Role::Admin, "system", start()).unwrap();
        (queue, id)
    }

    #[test]
    fn names_are_taken_once_and_some_never() {
        let (mut queue, _) = with_admin();
        for name in ["ana", "System", " "] {
            assert!(queue.add_operator(name, Role::Viewer, "Ana", start()).is_err(), "{name}");
        }
        assert_eq!(queue.operator_named("ANA").unwrap().unwrap().name, "Ana");
    }

    #[test]
    fn the_last_admin_stays() {
        let (mut queue, ana) = with_admin();
        assert!(queue.set_active(ana, false, "Ana", start()).is_err());
        assert!(queue.set_role(ana, Role::Viewer, "Ana", start()).is_err());
        let bo = queue.add_operator("Bo", Role::Admin, "Ana", start()).unwrap();
        queue.set_role(ana, Role::Viewer, "Bo", start()).unwrap();
        assert!(queue.set_active(bo, false, "Bo", start()).is_err());
    }

    #[test]
    fn a_session_ends_with_its_time_its_operator_or_a_word() {
        let (mut queue, ana) = with_admin();
        let bo = queue.add_operator("Bo", Role::Approver, "Ana", start()).unwrap();
        for token in [b"1", b"2", b"3"] {
            queue.add_session(token, bo, "a browser", after(100), start()).unwrap();
        }
        assert_eq!(queue.session(b"1", after(99)).unwrap().unwrap().1.id, bo);
        assert!(queue.session(b"1", after(100)).unwrap().is_none());
        let second = queue.sessions(bo).unwrap()[1].id;
        queue.end_session(second, "Bo", after(1)).unwrap();
        assert_eq!(queue.sessions(bo).unwrap().len(), 2);
        queue.set_active(bo, false, "Ana", after(2)).unwrap();
        assert!(queue.session(b"1", after(3)).unwrap().is_none());
        assert!(queue.sessions(ana).unwrap().is_empty());
    }

    #[test]
    fn a_link_works_once_and_in_time() {
        let (mut queue, ana) = with_admin();
        for (token, purpose) in [(b"1", LinkPurpose::SignIn(ana)), (b"2", LinkPurpose::Invite(Role::Author))] {
            let link = Link { purpose, made_by: "Ana".into(), expires_at: after(60) };
            queue.add_link(token, &link).unwrap();
            assert_eq!(queue.link(token, after(59)).unwrap(), Some(link.clone()));
            assert_eq!(queue.use_link(token, after(60)).unwrap(), None);
            assert_eq!(queue.use_link(token, after(59)).unwrap(), Some(link));
            assert_eq!(queue.use_link(token, after(59)).unwrap(), None);
        }
    }

    #[test]
    fn tokens_and_views_come_and_go() {
        let (mut queue, ana) = with_admin();
        let id = queue.add_token(b"t", "crm", "leads:read", "Ana", start()).unwrap();
        assert_eq!(queue.token(b"t").unwrap().unwrap().scopes, "leads:read");
        queue.revoke_token(id, "Ana", start()).unwrap();
        assert!(queue.token(b"t").unwrap().is_none());
        let view = queue.add_view(Some(ana), "EE only", "provider=ee").unwrap();
        queue.add_view(None, "All", "").unwrap();
        assert_eq!(queue.views(ana).unwrap().len(), 2);
        queue.drop_view(view).unwrap();
        assert_eq!(queue.views(ana).unwrap().len(), 1);
    }
}
