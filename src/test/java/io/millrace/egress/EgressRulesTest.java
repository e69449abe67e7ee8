package io.millrace.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.egress.EgressRules.Target;
import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class EgressRulesTest {

    final EgressRules rules = new EgressRules(TestConfig.of(EgressConfig.class,
            Map.of("millrace.egress.open-hosts", "Localhost:8080, minio.internal,[::1]:8080")), AddressGuard::isPublic);

    @ParameterizedTest
    @CsvSource({"http://example.com, example.com, 80, /", "HTTPS://Example.COM/a?b=c#d, example.com, 443, /a?b=c",
            "https://example.com.:443/%20, example.com, 443, /%20", "http://8.8.8.8/, 8.8.8.8, 80, /",
            "http://[2606:4700::1]/, [2606:4700::1], 80, /", "http://localhost:8080/x, localhost, 8080, /x",
            "http://minio.internal:9000/, minio.internal, 9000, /",
            "http://xn--bcher-kva.example/, xn--bcher-kva.example, 80, /",
            "http://example.com?q, example.com, 80, /?q",
            "http://example.com/b\u00fc?\u560d, example.com, 80, /b%C3%BC?%E5%98%8D"})
    void a_plain_URL_is_taken_apart_once(String url, String host, int port, String requestUri) {
        Target target = rules.check(EgressRules.parse(url));

        assertThat(target.host()).isEqualTo(host);
        assertThat(target.port()).isEqualTo(port);
        assertThat(target.requestUri()).isEqualTo(requestUri);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/path", "example.com/x", "ftp://example.com/", "file:///etc/passwd",
            "jar:http://example.com!/",
            "gopher://example.com/", "http:///x", "http:example.com", "http://127.1/", "http://user@example.com/",
            "http://user:pw@example.com/",
            "http://example.com@127.0.0.1/", "http://example.com\\@127.0.0.1/", "http://example.com#@127.0.0.1:22/..\\",
            "http://example.com:22/", "http://example.com:25/", "http://example.com:5432/", "http://example.com:6379/",
            "http://example.com:0/", "http://example.com:99999/", "http://example.com:8080/", "http://localhost:8081/",
            "http://exa mple.com/", "http://b\u00fccher.example/", "http://\uff11\uff12\uff17.0.0.1/",
            "http://127.0.0.1%00.example.com/",
            "http://a_b.example:8080/", "http://[::1%25lo]:22/", "http://example.com\r\nHost: x/"})
    void a_URL_that_could_be_read_in_two_ways_or_leads_elsewhere_is_refused(String url) {
        assertThatThrownBy(() -> rules.check(EgressRules.parse(url))).isInstanceOf(EgressRefusedException.class);
    }

    @Test
    void one_private_address_among_public_ones_refuses_the_host() throws Exception {
        Target target = rules.check(EgressRules.parse("http://example.com/"));
        List<InetAddress> mixed = List.of(InetAddress.getByName("8.8.8.8"), InetAddress.getByName("fd00::1"));

        assertThatThrownBy(() -> rules.check(target, mixed)).isInstanceOf(EgressRefusedException.class)
                .hasMessageContaining("add example.com:80 to millrace.egress.open-hosts").hasMessageNotContaining("fd00");
    }

    @Test
    void an_open_host_may_have_a_private_address() throws Exception {
        List<InetAddress> loopback = List.of(InetAddress.getByName("::1"));

        rules.check(rules.check(EgressRules.parse("http://localhost:8080/")), loopback);
        rules.check(rules.check(EgressRules.parse("http://[::1]:8080/")), loopback);
        assertThatThrownBy(() -> rules.check(rules.check(EgressRules.parse("http://localhost/")), loopback))
                .isInstanceOf(EgressRefusedException.class);
    }
}
