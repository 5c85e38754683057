//! The authorizer as a Lambda function, called by API Gateway.

use std::process::ExitCode;

use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerV2Request;
use lambda_runtime::LambdaEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let operator = function.environment.operator_token_sha256()?;
        let store = &function.store;
        let handler = async |event: LambdaEvent<ApiGatewayV2CustomAuthorizerV2Request>| {
            authorizer::handle(store, &operator, &event.payload).await
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
