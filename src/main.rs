//! Hands the arguments to [`jumpship::cli`] and returns its exit code.

fn main() -> std::process::ExitCode {
    jumpship::cli::main()
}
