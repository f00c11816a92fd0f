//! The table of all operations.

use crate::{
    Alarm, AlarmQuery, ApiKey, ApiKeyCreated, ApiKeyPath, ApiKeyUpdate, Client, ClientPath,
    ClientQuery, Described, ErrorCode, Listener, Login, Metrics, Need, NewApiKey, NewUser,
    NodeState, Operation, Page, PasswordChange, Publication, Published, Rates, Session, Stats,
    Status, Subscription, SubscriptionQuery, TenantQuery, User, UserPath, UserUpdate,
};

macro_rules! operations {
    ($($name:ident: ($path:ty, $query:ty, $body:ty) -> $answer:ty = $made:expr;)*) => {
        $(
            #[doc = concat!("See [`ALL`].")]
            pub const $name: Operation<$path, $query, $body, $answer> = $made;
        )*

        /// All of them, in the order in which they are shown.
        pub const ALL: &[&dyn Described] = &[$(&$name,)*];
    };
}

/// Bytes of names and passwords: of whom nobody knows nothing more is taken.
const SECRETS_MAX: usize = 4 * 1024;
/// Bytes of messages, in base64 perhaps.
const MESSAGES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of ten thousand names.
const NAMES_MAX: usize = 1024 * 1024;

const NO_CLIENT: &[ErrorCode] = &[ErrorCode::ClientIdNotFound];
const NO_USER: &[ErrorCode] = &[ErrorCode::UserNotFound, ErrorCode::NotAllowed];

operations! {
    LOGIN: ((), (), Login) -> Session = Operation::post("login", "/login")
        .needs(Need::Nobody)
        .takes(SECRETS_MAX)
        .fails(&[ErrorCode::BadUserNameOrPassword, ErrorCode::TooManyRequests])
        .says("Users", "Log in: give the token that comes back as Authorization: Bearer with what is asked for afterwards");
    LOGOUT: ((), (), ()) -> () = Operation::post("logout", "/logout")
        .needs(Need::Known)
        .answers(204)
        .says("Users", "End the log-in whose token is shown");
    LIST_USERS: ((), (), ()) -> Vec<User> = Operation::get("list_users", "/users")
        .needs(Need::Administer)
        .says("Users", "All users of the API and the dashboard");
    CREATE_USER: ((), (), NewUser) -> User = Operation::post("create_user", "/users")
        .fails(&[ErrorCode::AlreadyExists])
        .says("Users", "Add a user");
    UPDATE_USER: (UserPath, (), UserUpdate) -> User = Operation::put("update_user", "/users/{username}")
        .fails(NO_USER)
        .says("Users", "Change role and description of a user; log-ins go on with the new role");
    DELETE_USER: (UserPath, (), ()) -> () = Operation::delete("delete_user", "/users/{username}")
        .fails(NO_USER)
        .says("Users", "Delete a user, and end the log-ins; the last administrator stays");
    CHANGE_PASSWORD: (UserPath, (), PasswordChange) -> () =
        Operation::post("change_password", "/users/{username}/change_pwd")
        .needs(Need::Known)
        .answers(204)
        .takes(SECRETS_MAX)
        .fails(&[ErrorCode::BadUserNameOrPassword, ErrorCode::TooManyRequests, ErrorCode::UnauthorizedRole])
        .says("Users", "Change the own password, and end all other log-ins of the user");
    LIST_API_KEYS: ((), (), ()) -> Vec<ApiKey> = Operation::get("list_api_keys", "/api_key")
        .needs(Need::Administer)
        .says("API keys", "All keys of programs");
    CREATE_API_KEY: ((), (), NewApiKey) -> ApiKeyCreated = Operation::post("create_api_key", "/api_key")
        .fails(&[ErrorCode::AlreadyExists])
        .says("API keys", "Make a key. Its secret is shown in this answer, and never again");
    GET_API_KEY: (ApiKeyPath, (), ()) -> ApiKey = Operation::get("get_api_key", "/api_key/{name}")
        .needs(Need::Administer)
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "A key, without its secret");
    UPDATE_API_KEY: (ApiKeyPath, (), ApiKeyUpdate) -> ApiKey = Operation::put("update_api_key", "/api_key/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "Change what a key may be used for, until when, or that it may not be used");
    DELETE_API_KEY: (ApiKeyPath, (), ()) -> () = Operation::delete("delete_api_key", "/api_key/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "Delete a key; it opens nothing any more");
    STATUS: ((), (), ()) -> Status = Operation::get("status", "/status")
        .needs(Need::Nobody)
        .says("Node", "Whether the node serves: for load balancers");
    LIST_NODES: ((), (), ()) -> Vec<NodeState> = Operation::get("list_nodes", "/nodes")
        .says("Node", "The nodes, with version, uptime, memory and connections");
    STATS: ((), (), ()) -> Stats = Operation::get("stats", "/stats")
        .says("Node", "How much there is of each thing now");
    METRICS: ((), (), ()) -> Metrics = Operation::get("metrics", "/metrics")
        .says("Node", "How often each thing has happened since the start");
    MONITOR_CURRENT: ((), (), ()) -> Rates = Operation::get("monitor_current", "/monitor_current")
        .says("Node", "How much there is, and how fast messages come and go");
    PROMETHEUS: ((), (), ()) -> String = Operation::get("prometheus", "/prometheus/stats")
        .gives("text/plain; version=0.0.4; charset=utf-8")
        .says("Node", "The numbers under EMQX's names, for Prometheus; those of Plexus itself stand at /metrics");
    LIST_LISTENERS: ((), (), ()) -> Vec<Listener> = Operation::get("list_listeners", "/listeners")
        .says("Node", "Where the node listens");
    LIST_ALARMS: ((), AlarmQuery, ()) -> Page<Alarm> = Operation::get("list_alarms", "/alarms")
        .says("Node", "What somebody should look at now");
    LIST_CLIENTS: ((), ClientQuery, ()) -> Page<Client> = Operation::get("list_clients", "/clients")
        .says("Clients", "Clients that are connected, or whose sessions wait for them");
    GET_CLIENT: (ClientPath, TenantQuery, ()) -> Client = Operation::get("get_client", "/clients/{clientid}")
        .fails(NO_CLIENT)
        .says("Clients", "A client with the numbers of its session");
    KICK_CLIENT: (ClientPath, TenantQuery, ()) -> () = Operation::delete("kick_client", "/clients/{clientid}")
        .fails(NO_CLIENT)
        .says("Clients", "Disconnect a client (Administrative action, 0x98), and end its session");
    KICK_CLIENTS: ((), TenantQuery, Vec<String>) -> () = Operation::post("kick_clients", "/clients/kickout/bulk")
        .answers(204)
        .takes(NAMES_MAX)
        .says("Clients", "The same of several; who is not there is passed over");
    CLIENT_SUBSCRIPTIONS: (ClientPath, TenantQuery, ()) -> Vec<Subscription> =
        Operation::get("client_subscriptions", "/clients/{clientid}/subscriptions")
        .fails(NO_CLIENT)
        .says("Clients", "What a client is subscribed to");
    LIST_SUBSCRIPTIONS: ((), SubscriptionQuery, ()) -> Page<Subscription> =
        Operation::get("list_subscriptions", "/subscriptions")
        .says("Clients", "Subscriptions of all clients");
    PUBLISH: ((), (), Publication) -> Published = Operation::post("publish", "/publish").takes(MESSAGES_MAX)
        .needs(Need::Publish)
        .says("Messages", "Publish a message: 200 if somebody gets it, 202 if nobody wants it");
    PUBLISH_BULK: ((), (), Vec<Publication>) -> Vec<Published> = Operation::post("publish_bulk", "/publish/bulk")
        .needs(Need::Publish)
        .takes(MESSAGES_MAX)
        .says("Messages", "Publish several messages, in their order");
}
