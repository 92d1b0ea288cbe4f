//! Runs beside the AxonFlow SDK for Rust: a call a line on stdin, what it gave a line on stdout, as JSON.

use std::io::BufRead;

use axonflow_sdk_rust::types::agent::{AuditRequest, TokenUsage};
use axonflow_sdk_rust::{AxonFlowClient, AxonFlowConfig, AxonFlowError, ListDecisionsOptions};
use serde_json::{json, Value};

fn text(job: &Value, name: &str) -> String {
    job[name].as_str().unwrap_or_default().to_string()
}

fn shown<T: std::fmt::Debug>(found: Result<T, AxonFlowError>) -> Result<Value, AxonFlowError> {
    found.map(|value| json!(format!("{value:?}")))
}

async fn outcome(client: &AxonFlowClient, job: &Value) -> Result<Value, AxonFlowError> {
    match text(job, "method").as_str() {
        "audit_llm_call" => {
            let request = AuditRequest {
                context_id: text(job, "context_id"),
                response_summary: "A store of rows.".to_string(),
                provider: "openai".to_string(),
                model: "gpt-4o".to_string(),
                token_usage: TokenUsage { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 },
                latency_ms: 250,
                metadata: None,
            };
            let told = client.audit_llm_call(&request).await?;
            Ok(json!({"success": told.success, "audit_id": told.audit_id}))
        }
        "list_decisions" => {
            let found = client.list_decisions(ListDecisionsOptions::default()).await?;
            let ids: Vec<&String> = found.iter().map(|each| &each.decision_id).collect();
            Ok(json!(ids))
        }
        "explain_decision" => shown(client.explain_decision(&text(job, "decision_id")).await),
        "proxy_llm_call" => {
            let told = client.proxy_llm_call("", &text(job, "query"), "llm_chat", Default::default()).await?;
            Ok(json!({"success": told.success, "blocked": told.blocked, "error": told.error}))
        }
        other => Ok(json!({"unknown": other})),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for line in std::io::stdin().lock().lines() {
        let job: Value = serde_json::from_str(&line.expect("a line")).expect("a job");
        let config = AxonFlowConfig::new(text(&job, "endpoint"))
            .with_auth(text(&job, "client_id"), text(&job, "client_secret"))
            .with_license_key("not-looked-at");
        let client = AxonFlowClient::new(config).expect("a client");
        match outcome(&client, &job).await {
            Ok(value) => println!("{}", json!({ "value": value })),
            Err(error) => println!("{}", json!({"error": error.to_string()})),
        }
    }
}
