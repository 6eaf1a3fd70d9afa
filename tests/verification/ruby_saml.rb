# Prints why ruby-saml refuses each response of a folder, as JSON: file name to list of reasons.
require "json"
require "onelogin/ruby-saml"

folder, issuer, audience, recipient, request = ARGV
settings = OneLogin::RubySaml::Settings.new
settings.idp_cert = File.read(File.join(folder, "entra.pem"))
settings.idp_entity_id = issuer
settings.sp_entity_id = audience
settings.assertion_consumer_service_url = recipient
settings.security[:want_name_id] = true
settings.soft = true

reasons = Dir[File.join(folder, "*.xml")].sort.to_h do |file|
  begin
    options = { settings: settings, matches_request_id: request, check_duplicated_attributes: true }
    response = OneLogin::RubySaml::Response.new([File.binread(file)].pack("m0"), options)
    [File.basename(file), response.is_valid? ? [] : response.errors.map(&:to_s) + ["refused"]]
  rescue StandardError => problem
    [File.basename(file), ["#{problem.class}: #{problem.message}"]]
  end
end
puts JSON.generate(reasons)
