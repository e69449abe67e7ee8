package io.millrace.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SigningKeysTest {

    @TempDir
    Path folder;

    private Path make(String name) throws IOException {
        SigningKeys.makeFiles(folder.resolve(name + "/private.pem"), folder.resolve(name + "/public.pem"));
        return folder.resolve(name);
    }

    private static SigningKeys read(Path signing, Path... checking) {
        return SigningKeys.read(signing.resolve("private.pem"),
                List.of(checking).stream().map(pair -> pair.resolve("public.pem")).toList());
    }

    @Test
    void a_pair_is_made_once_for_its_owner_alone() throws IOException {
        Path pair = make("a");
        SigningKeys first = read(pair, pair);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pair.resolve("private.pem"))))
                .isEqualTo("rw-------");
        make("a");
        assertThat(read(pair, pair).keyId()).isEqualTo(first.keyId());
        assertThat(first.toString()).doesNotContain("PrivateKey");
    }

    @Test
    void in_a_rotation_several_public_keys_are_read_and_one_belongs_to_the_private_key() throws IOException {
        Path old = make("old");
        Path next = make("next");
        SigningKeys before = read(old, old, next);
        SigningKeys after = read(next, old, next);
        assertThat(before.publicKeys().keySet()).isEqualTo(after.publicKeys().keySet()).hasSize(2);
        assertThat(before.keyId()).isEqualTo(read(old, old).keyId()).isNotEqualTo(after.keyId());
        assertThatIllegalArgumentException().isThrownBy(() -> read(old, next))
                .withMessageContaining("no public key belongs to");
    }

    @Test
    void a_file_that_holds_no_key_is_named() throws IOException {
        Path pair = make("a");
        Path file = Files.writeString(folder.resolve("x.pem"), "secret stuff");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SigningKeys.read(file, List.of(pair.resolve("public.pem"))))
                .withMessageContaining("x.pem").withMessageNotContaining("stuff");
        Files.writeString(file, "-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----\n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SigningKeys.read(file, List.of(pair.resolve("public.pem"))))
                .withMessageContaining("x.pem holds no EC key");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SigningKeys.read(folder.resolve("none.pem"), List.of(file)))
                .withMessageContaining("none.pem cannot be read");
    }
}
