package io.millrace.app;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import io.millrace.account.SigningKeys;

/** {@code keys [folder]}: makes the key pair that access tokens are signed with, and starts nothing. */
final class KeysCommand {
    static final String NAME = "keys";

    private KeysCommand() {}

    static boolean isMeant(String... args) {
        return args.length > 0 && args[0].equals(NAME);
    }

    /**
     * @param args the name of the command and, if it is not the current one, the folder; it is made if it is not there
     * @return what to do next
     * @throws StartFailure if there is a key already, or the folder cannot be written to
     */
    static List<String> run(String... args) {
        if (args.length > 2) {
            throw StartFailure.usage("keys takes one folder: keys [folder]");
        }
        Path folder = Path.of(args.length == 2 ? args[1] : "").toAbsolutePath().normalize();
        Path privateKey = folder.resolve("private.pem");
        Path publicKey = folder.resolve("public.pem");
        try {
            Files.createDirectories(folder);
            SigningKeys.makeNewFiles(privateKey, publicKey);
        } catch (FileAlreadyExistsException there) {
            throw StartFailure
                    .usage(there.getMessage() + " is there already, and stays as it is: move it away, or name another "
                            + "folder");
        } catch (IOException e) {
            throw StartFailure.environment("the keys cannot be written to " + folder + " (" + e.getMessage() + ")");
        }
        return List.of("MILLRACE_AUTH_PRIVATE_KEY=" + privateKey, "MILLRACE_AUTH_PUBLIC_KEY=" + publicKey);
    }
}
