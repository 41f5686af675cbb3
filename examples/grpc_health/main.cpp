// grpc_health ADDRESS [SERVICE]: asks once. Exit codes: 0 serving, 1 usage, 2 nobody answers, 3 refused or no such
// service, 4 answers and does not serve.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <iostream>

#include "health.grpc.pb.h"

int main(int count, char** arguments) {
  namespace proto = grpc::health::v1;
  if (count < 2 || count > 3) {
    std::cerr << "usage: grpc_health ADDRESS [SERVICE]\n";
    return 1;
  }
  const auto stub = proto::Health::NewStub(grpc::CreateChannel(arguments[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  proto::HealthCheckRequest request;
  if (count == 3) request.set_service(arguments[2]);
  proto::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) {
    std::cerr << "error: " << status.error_message() << '\n';
    const bool is_silent = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                           status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    return is_silent ? 2 : 3;
  }
  std::cout << proto::HealthCheckResponse::ServingStatus_Name(response.status()) << '\n';
  return response.status() == proto::HealthCheckResponse::SERVING ? 0 : 4;
}
