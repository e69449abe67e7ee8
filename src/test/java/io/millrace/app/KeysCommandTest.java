package io.millrace.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import io.millrace.account.SigningKeys;

@DisplayNameGeneration(ReplaceUnderscores.class)
class KeysCommandTest {
    @TempDir
    Path folder;

    private Path made() {
        return folder.resolve("keys");
    }

    private static StartFailure refusal(String... args) {
        return catchThrowableOfType(StartFailure.class, () -> KeysCommand.run(args));
    }

    @Test
    void the_pair_belongs_together_and_only_its_owner_may_read_it() throws IOException {
        List<String> settings = KeysCommand.run("keys", made().toString());
        Path privateKey = made().resolve("private.pem");
        Path publicKey = made().resolve("public.pem");

        assertThat(settings).containsExactly("MILLRACE_AUTH_PRIVATE_KEY=" + privateKey,
                "MILLRACE_AUTH_PUBLIC_KEY=" + publicKey);
        assertThat(SigningKeys.read(privateKey, List.of(publicKey)).publicKeys()).hasSize(1);
        for (Path file : List.of(privateKey, publicKey)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        }
    }

    @Test
    void a_key_that_is_there_is_never_overwritten() throws IOException {
        Files.createDirectories(made());
        for (String name : List.of("private.pem", "public.pem")) {
            Path there = Files.writeString(made().resolve(name), "precious");
            StartFailure refusal = refusal("keys", made().toString());
            assertThat(refusal).hasMessageContaining(there + " is there already");
            assertThat(refusal.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(there).hasContent("precious");
            Files.delete(there);
            assertThat(made()).isEmptyDirectory();
        }
        Path link = Files.createSymbolicLink(made().resolve("private.pem"), folder.resolve("nowhere"));
        assertThat(refusal("keys", made().toString())).hasMessageContaining(link + " is there already");
    }

    @Test
    void what_is_no_folder_is_refused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThat(refusal("keys", file.resolve("keys").toString()).exitCode()).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(refusal("keys", "a", "b").exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(KeysCommand.isMeant()).isFalse();
        assertThat(KeysCommand.isMeant("keys")).isTrue();
    }

    @Test
    void a_pair_that_is_there_is_kept_if_that_is_what_was_asked_for() throws IOException {
        List<String> first = KeysCommand.run("keys", "--if-missing", made().toString());
        byte[] key = Files.readAllBytes(made().resolve("private.pem"));
        assertThat(KeysCommand.run("keys", "--if-missing", made().toString())).isEqualTo(first);
        assertThat(made().resolve("private.pem")).hasBinaryContent(key);

        Files.delete(made().resolve("public.pem"));
        assertThat(refusal("keys", "--if-missing", made().toString())).hasMessageContaining("private.pem is there already");
        Files.writeString(made().resolve("public.pem"), "not a key");
        assertThat(refusal("keys", "--if-missing", made().toString())).hasMessageContaining("public.pem");
        assertThat(refusal("keys", "--if-mising", made().toString()).exitCode()).isEqualTo(ExitCode.USAGE);
    }
}
